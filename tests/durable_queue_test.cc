// SPDX-License-Identifier: Apache-2.0

// The durable queue of examples/, run as a user runs it.

#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/program_output.h"
#include "tests/fixture/scratch_directory.h"

namespace varve {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DurableQueueTest : public testing::Test {
 protected:
  // Runs it with these jobs, and keeps what it prints.
  void Run(const std::string& jobs) {
    int status = -1;
    const std::string output = OutputOf(
        absl::StrCat("examples/durable_queue ", path_, " ", jobs), &status);
    EXPECT_EQ(status, 0);
    lines_ = absl::StrSplit(output, '\n', absl::SkipEmpty());
  }
  // The jobs that it said this of, in order. The two threads that print take
  // turns as they like.
  std::vector<std::string> JobsSaidToBe(std::string_view what) const {
    std::vector<std::string> jobs;
    for (std::string_view line : lines_) {
      if (absl::ConsumePrefix(&line, what)) jobs.emplace_back(line);
    }
    return jobs;
  }

  ScratchDirectory scratch_;
  const std::string path_ = scratch_ / "queue";
  std::vector<std::string> lines_;
};

TEST_F(DurableQueueTest, EveryJobIsSafeAndDoneInOrder) {
  Run("a b c");
  EXPECT_THAT(JobsSaidToBe("safe "), ElementsAre("a", "b", "c"));
  EXPECT_THAT(JobsSaidToBe("done "), ElementsAre("a", "b", "c"));
  EXPECT_EQ(lines_.size(), 6);
}

TEST_F(DurableQueueTest, JobThatIsDoneIsNotDoneByTheNextRun) {
  Run("a b");
  Run("c");
  EXPECT_THAT(JobsSaidToBe("done "), ElementsAre("c"));
  Run("");
  EXPECT_THAT(lines_, IsEmpty());
}

}  // namespace
}  // namespace varve
