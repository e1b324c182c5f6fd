// SPDX-License-Identifier: Apache-2.0

// The program examples/event_sourcing rebuilds an account from its events and
// snapshots, and changes it at the version that is expected.

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/program_output.h"
#include "tests/fixture/scratch_directory.h"

namespace varve {
namespace {

using ::testing::HasSubstr;

class EventSourcingTest : public testing::Test {
 protected:
  // What a run prints, with its errors; its exit status is in `status_`.
  std::string Run(const std::string& arguments) {
    return OutputOf(absl::StrCat("examples/event_sourcing ", scratch_ / "store",
                                 " ", arguments, " 2>&1"),
                    &status_);
  }

  ScratchDirectory scratch_;
  int status_ = -1;
};

TEST_F(EventSourcingTest, AccountIsTheSumOfItsEventsAfterARestart) {
  EXPECT_EQ(Run("alice 100 0"),
            "events replayed: 0\nalice has 100 at version 1\n");
  EXPECT_EQ(Run("alice -30 1"),
            "events replayed: 1\nalice has 70 at version 2\n");
  EXPECT_EQ(Run("alice"), "events replayed: 2\nalice has 70 at version 2\n");
  EXPECT_EQ(status_, 0);
}

TEST_F(EventSourcingTest, SnapshotSparesTheEventsBeforeIt) {
  for (const char* change : {"alice 100 0", "alice -30 1", "alice 5 2"})
    Run(change);
  EXPECT_EQ(Run("alice"), "events replayed: 0\nalice has 75 at version 3\n");
  EXPECT_EQ(Run("alice 1 3"),
            "events replayed: 0\nalice has 76 at version 4\n");
  EXPECT_EQ(Run("alice"), "events replayed: 1\nalice has 76 at version 4\n");
  for (const char* change : {"alice 1 4", "alice 1 5"}) Run(change);
  EXPECT_EQ(Run("alice"), "events replayed: 0\nalice has 78 at version 6\n");
  EXPECT_EQ(status_, 0);
}

// Of four partitions bob and carol share one, so a snapshot has both.
TEST_F(EventSourcingTest, AccountsOfOnePartitionShareItsSnapshots) {
  for (const char* change : {"bob 10 0", "carol 20 0", "bob 1 1", "alice 7 0"})
    Run(change);
  EXPECT_EQ(Run("bob"), "events replayed: 0\nbob has 11 at version 2\n");
  EXPECT_EQ(Run("carol"), "events replayed: 0\ncarol has 20 at version 1\n");
  EXPECT_EQ(Run("alice"), "events replayed: 1\nalice has 7 at version 1\n");
}

TEST_F(EventSourcingTest, ChangeOfAnotherVersionIsRefusedAndLeavesNoEvent) {
  Run("alice 100 0");
  EXPECT_THAT(Run("alice 5 0"), HasSubstr("ABORTED: alice is at version 1"));
  EXPECT_EQ(status_, 1);
  EXPECT_THAT(Run("alice -101 1"),
              HasSubstr("FAILED_PRECONDITION: alice has too little"));
  EXPECT_EQ(status_, 1);
  EXPECT_EQ(Run("alice"), "events replayed: 1\nalice has 100 at version 1\n");
}

}  // namespace
}  // namespace varve
