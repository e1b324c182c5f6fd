// SPDX-License-Identifier: Apache-2.0

// The README's example is the program that is built and run here.

#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/fixture/program_output.h"
#include "tests/fixture/scratch_directory.h"

namespace varve {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string RunExample(const std::string& directory, int* status) {
  return OutputOf(absl::StrCat("examples/embedding ", directory), status);
}

TEST(ReadmeTest, ExampleIsTheProgramInExamples) {
  const std::string readme = ReadFile("README.md");
  const std::string fence = "```cpp\n";
  const size_t begin = readme.find(fence) + fence.size();
  const std::string shown =
      readme.substr(begin, readme.find("```", begin) - begin);
  const std::string program = ReadFile("examples/embedding.cc");
  EXPECT_EQ(shown, program.substr(program.find("\n\n") + 2));
}

TEST(ReadmeTest, ExamplePrintsWhatItAppendedAndAgainAfterAReopen) {
  ScratchDirectory scratch;
  int status = -1;
  EXPECT_EQ(RunExample(scratch / "store", &status), "0 paid\n");
  EXPECT_EQ(status, 0);
  EXPECT_EQ(RunExample(scratch / "store", &status), "0 paid\n1 paid\n");
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace varve
