// SPDX-License-Identifier: Apache-2.0

// The groups of the program examples/fan_out read all events at a pace of their
// own, and go on where they were.

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/fixture/program_output.h"
#include "tests/fixture/scratch_directory.h"

namespace varve {
namespace {

class FanOutTest : public testing::Test {
 protected:
  std::string Run(const std::string& events) {
    int status = -1;
    std::string output = OutputOf(
        absl::StrCat("examples/fan_out ", scratch_ / "store", " ", events),
        &status);
    EXPECT_EQ(status, 0);
    return output;
  }

  ScratchDirectory scratch_;
};

// Of the two partitions d and f belong to the second one, the others to the
// first.
TEST_F(FanOutTest, EachGroupGoesOnWhereItWasAfterARestart) {
  EXPECT_EQ(Run("a b d e"),
            "billing read: a b e d; lag 0\n"
            "search read: a b; lag 2\n"
            "archive read: a; lag 3\n");
  EXPECT_EQ(Run(""),
            "billing read:; lag 0\n"
            "search read: e d; lag 0\n"
            "archive read: b; lag 2\n");
  EXPECT_EQ(Run("f"),
            "billing read: f; lag 0\n"
            "search read: f; lag 0\n"
            "archive read: e; lag 2\n");
}

TEST_F(FanOutTest, GroupThatFindsNoEventsHasAPlaceAllTheSame) {
  EXPECT_EQ(Run(""),
            "billing read:; lag 0\n"
            "search read:; lag 0\n"
            "archive read:; lag 0\n");
}

}  // namespace
}  // namespace varve
