// SPDX-License-Identifier: Apache-2.0

// The example of docs/backup.md is the program that is built and run here.

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/fixture/scratch_directory.h"

namespace varve {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// What the example prints; its exit status in `*status`.
std::string RunExample(const std::string& directory, int* status) {
  FILE* pipe = popen(absl::StrCat("examples/backup ", directory).c_str(), "r");
  std::string output;
  std::array<char, 4096> buffer;
  while (size_t size = fread(buffer.data(), 1, buffer.size(), pipe)) {
    output.append(buffer.data(), size);
  }
  *status = WEXITSTATUS(pclose(pipe));
  return output;
}

TEST(BackupPageTest, ExampleIsTheProgramInExamples) {
  const std::string page = ReadFile("docs/backup.md");
  const std::string fence = "```cpp\n";
  const size_t begin = page.find(fence) + fence.size();
  const std::string shown = page.substr(begin, page.find("```", begin) - begin);
  const std::string program = ReadFile("examples/backup.cc");
  EXPECT_EQ(shown, program.substr(program.find("\n\n") + 2));
}

TEST(BackupPageTest, ExamplePrintsWhatItBackedUpAndWhatTheGroupHasToRead) {
  ScratchDirectory scratch;
  int status = -1;
  EXPECT_EQ(RunExample(scratch.path(), &status),
            "backed up: offsets 0 to 2\n"
            "restored: 1 packed\n"
            "restored: 2 sent\n");
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace varve
