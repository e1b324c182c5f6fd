// SPDX-License-Identifier: Apache-2.0

// `varve consume --follow` beside writers that roll, trim, close the store and
// are killed: it prints everything, in order and once.

#include <signal.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status_matchers.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/forked_writer.h"
#include "tests/fixture/memory_directory.h"
#include "tests/tools/command_runner.h"
#include "varve/api/log_store.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/file_names.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Trims = ForkedWriter::Trims;

class FollowWritersTest : public testing::Test {
 protected:
  void StartConsumer(const std::vector<std::string>& options = {}) {
    std::vector<std::string> arguments = {
        "t", "--follow", "--data", writer_.path(), "--format", "%o %s\\n"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    runner_.StartConsumer(arguments);
  }

  static std::string LineOf(int64_t offset) {
    return absl::StrCat(offset, " ", ForkedWriter::ValueOf(offset), "\n");
  }

  // Takes the consumer's new output. Returns whether there was any.
  bool TakePrinted() {
    const int64_t before = next_;
    const std::string all = runner_.ConsumerOutput();
    std::string_view rest = std::string_view(all).substr(taken_);
    for (size_t end = 0; (end = rest.find('\n')) != rest.npos;) {
      EXPECT_EQ(rest.substr(0, end + 1), LineOf(next_));
      if (HasFailure()) return false;
      ++next_;
      taken_ += end + 1;
      rest.remove_prefix(end + 1);
    }
    writer_.progress().reader_at = next_;
    return next_ > before;
  }

  // Follows one writer to its end, which comes when it is done, or when
  // `kill_at` was printed.
  void FollowWriter(int64_t kill_at) {
    while (!HasFailure() && !writer_.HasEnded()) {
      if (TakePrinted() && next_ >= kill_at) writer_.Kill();
      absl::SleepFor(absl::Milliseconds(1));
    }
  }

  void AwaitPrinted(int64_t end) {
    while (next_ < end && !HasFailure()) {
      ASSERT_FALSE(runner_.ConsumerHasEnded());
      TakePrinted();
      absl::SleepFor(absl::Milliseconds(1));
    }
    ASSERT_EQ(next_, end);
  }

  CommandRunner runner_;
  MemoryDirectory scratch_;
  ForkedWriter writer_{scratch_ / "store"};
  size_t taken_ = 0;
  int64_t next_ = 0;
};

TEST_F(FollowWritersTest, AllIsPrintedInOrderAndOnceThroughAThousandRolls) {
  const unsigned seed = std::random_device()();
  std::cout << "seed " << seed << std::endl;
  std::mt19937_64 random(seed);
  StartConsumer();
  for (int round = 0; writer_.progress().rolls < 1000 && !HasFailure();
       ++round) {
    writer_.Start(random(),
                  round % 3 == 0 ? Trims::kNone : Trims::kBehindTheReader);
    FollowWriter(round % 2 == 0
                     ? next_ + 1 + static_cast<int64_t>(random() % 800)
                     : std::numeric_limits<int64_t>::max());
    if (round % 2 != 0) AwaitPrinted(writer_.EndOfTheLog());
  }
  AwaitPrinted(writer_.EndOfTheLog());
  EXPECT_GT(writer_.progress().deleted_segments, 100);
  const CommandResult result = runner_.EndConsumer(SIGINT);
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_THAT(result.err, IsEmpty());
  std::cout << next_ << " records, " << writer_.progress().rolls << " rolls, "
            << writer_.progress().deleted_segments << " of them deleted"
            << std::endl;
}

// A consumer that stands still while what it has not read is deleted.
class TrimmedConsumerTest : public FollowWritersTest {
 protected:
  void TrimPastTheConsumer() {
    auto store = LogStore::Open(writer_.path());
    EXPECT_THAT(store, IsOk());
    Partition partition = *(*store)->partition("t", 0);
    Append(partition, 100);
    AwaitPrinted(100);
    runner_.StopConsumer();
    Append(partition, 100);
    EXPECT_THAT(partition.TrimBefore(150), IsOk());
    const std::string first = absl::StrCat(
        writer_.path(), "/t-0/", SegmentFileName(0, SegmentFileKind::kLog));
    EXPECT_FALSE(std::filesystem::exists(first));
    EXPECT_GE(partition.visible_end(), 200);
    EXPECT_THAT((*store)->Close(), IsOk());
    runner_.ContinueConsumer();
  }
  // Takes the lines up to the first one that is not the next record's; returns
  // the offset of the missing one, or the one after the last.
  int64_t TakeUntilTheJump() {
    const std::string all = runner_.ConsumerOutput();
    std::string_view rest = std::string_view(all).substr(taken_);
    for (std::string line = LineOf(next_); rest.starts_with(line);
         line = LineOf(next_)) {
      taken_ += line.size();
      rest.remove_prefix(line.size());
      ++next_;
    }
    EXPECT_GE(next_, 100);
    EXPECT_LT(next_, 150);
    return next_;
  }
  // The offset of the line that comes next.
  int64_t JumpOver() {
    const std::string rest = runner_.ConsumerOutput().substr(taken_);
    EXPECT_TRUE(absl::SimpleAtoi(rest.substr(0, rest.find(' ')), &next_));
    return next_;
  }
  static void Append(Partition& partition, int count) {
    for (int i = 0; i < count; ++i) {
      const std::string value = ForkedWriter::ValueOf(partition.visible_end());
      ASSERT_THAT(partition.Append({.value = value}, Durability::kMemory),
                  IsOk());
    }
  }
};

// It may print the rest of a deleted file that it has open; then it has to
// jump, to the first file that is left, or to the log start that it reads
// within a second.
TEST_F(TrimmedConsumerTest, GoesOnAtTheLogStartAndSaysSo) {
  StartConsumer();
  TrimPastTheConsumer();
  std::string last;
  while (!last.starts_with("199 ")) {
    ASSERT_FALSE(runner_.ConsumerHasEnded());
    absl::SleepFor(absl::Milliseconds(1));
    const std::vector<std::string> lines =
        absl::StrSplit(runner_.ConsumerOutput(), '\n');
    if (lines.size() > 1) last = lines[lines.size() - 2];
  }
  const int64_t missing = TakeUntilTheJump();
  const int64_t start = JumpOver();
  EXPECT_GT(start, missing);
  EXPECT_LE(start, 150);
  AwaitPrinted(200);
  const CommandResult result = runner_.EndConsumer(SIGINT);
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_THAT(
      result.err,
      AllOf(HasSubstr(absl::StrCat("offset ", missing, " is not there")),
            HasSubstr(absl::StrCat("the log starts at ", start)),
            HasSubstr(absl::StrCat("goes on at ", start))));
}

TEST_F(TrimmedConsumerTest, EndsWithAnErrorWhenItMayMissNothing) {
  StartConsumer({"--reset", "none"});
  TrimPastTheConsumer();
  while (!runner_.ConsumerHasEnded()) absl::SleepFor(absl::Milliseconds(1));
  const int64_t missing = TakeUntilTheJump();
  const CommandResult result = runner_.EndConsumer(/*signal=*/0);
  EXPECT_EQ(result.out.size(), taken_);
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(
      result.err,
      AllOf(HasSubstr(absl::StrCat("offset ", missing, " is out of range")),
            HasSubstr("the log starts at 1")));
}

}  // namespace
}  // namespace varve
