// SPDX-License-Identifier: Apache-2.0

// The program examples/tail_many prints each record that is appended while it
// runs once, those of one partition in order.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/program_output.h"
#include "tests/fixture/scratch_directory.h"

namespace varve {
namespace {

using Lines = std::map<std::string, std::vector<std::string>>;

// What it prints, by partition.
Lines RunExample(const std::string& directory, int* status) {
  const std::string output =
      OutputOf(absl::StrCat("examples/tail_many ", directory), status);
  Lines lines;
  for (const auto line : absl::StrSplit(output, '\n', absl::SkipEmpty())) {
    const std::vector<std::string> words =
        absl::StrSplit(line, absl::MaxSplits(' ', 1));
    lines[words.at(0)].push_back(words.at(1));
  }
  return lines;
}

TEST(TailManyTest, PrintsWhatIsAppendedToEachOf50PartitionsInOrder) {
  ScratchDirectory scratch;
  for (int64_t first : {0, 3}) {
    int status = -1;
    const Lines lines = RunExample(scratch / "store", &status);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(lines.size(), 50u);
    for (int i = 0; i < 50; ++i) {
      const std::string name = absl::StrCat("sensors-", i);
      ASSERT_TRUE(lines.contains(name)) << name;
      EXPECT_THAT(lines.at(name),
                  testing::ElementsAre(absl::StrCat(first, " reading 0"),
                                       absl::StrCat(first + 1, " reading 1"),
                                       absl::StrCat(first + 2, " reading 2")))
          << name;
    }
  }
}

}  // namespace
}  // namespace varve
