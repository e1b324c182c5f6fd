// SPDX-License-Identifier: Apache-2.0

// examples/README.md lists each program of examples/, with the lines that it
// has.

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/file_bytes.h"

namespace varve {
namespace {

// Lines that are neither empty nor a comment.
int64_t LinesOfCode(const std::string& path) {
  const std::string text = ReadBytes(path);
  const std::vector<std::string_view> lines = absl::StrSplit(text, '\n');
  return std::count_if(lines.begin(), lines.end(), [](std::string_view line) {
    line = absl::StripLeadingAsciiWhitespace(line);
    return !line.empty() && !absl::StartsWith(line, "//");
  });
}

TEST(ExamplesPageTest, TableHasEachProgramWithItsLines) {
  std::map<std::string, int64_t> programs;
  for (const std::string& name : NamesIn("examples")) {
    if (absl::EndsWith(name, ".cc"))
      programs[name] = LinesOfCode("examples/" + name);
  }
  ASSERT_FALSE(programs.empty());

  // | [name](name) | what it shows | lines | what the API does |
  std::map<std::string, int64_t> listed;
  const std::string page = ReadBytes("examples/README.md");
  for (const std::string_view line : absl::StrSplit(page, '\n')) {
    const std::vector<std::string_view> cells = absl::StrSplit(line, '|');
    if (cells.size() < 5 || !absl::StartsWith(cells[1], " [")) continue;
    const std::string_view name = cells[1].substr(2, cells[1].find(']') - 2);
    EXPECT_TRUE(absl::SimpleAtoi(cells[3], &listed[std::string(name)])) << line;
  }
  EXPECT_EQ(listed, programs);
}

}  // namespace
}  // namespace varve
