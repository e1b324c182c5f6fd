// SPDX-License-Identifier: Apache-2.0

// A reader follows a store from another process through a thousand rolls, trims
// and many writers, some of which are killed: it sees everything that any of
// them appended, in order and once.

#include <cstdint>
#include <iostream>
#include <limits>
#include <memory>
#include <random>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/forked_writer.h"
#include "tests/fixture/memory_directory.h"
#include "tests/fixture/partition_fixture.h"
#include "varve/api/log_store.h"
#include "varve/api/read_only_store.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_view.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::HasSubstr;

using Trims = ForkedWriter::Trims;

class ReadOnlyFollowTest : public testing::TestWithParam<SealedAccess> {
 protected:
  ReadOnlyFollowTest() {
    std::cout << "seed " << seed_ << std::endl;
    auto reader =
        LogStore::OpenReadOnly(writer_.path(), {.sealed = GetParam()});
    CHECK_OK(reader.status());
    reader_ = *std::move(reader);
    auto partition = reader_->partition("t", 0);
    CHECK_OK(partition.status());
    partition_ = std::make_unique<ReadOnlyPartition>(*std::move(partition));
  }

  // Reads what there is. Returns whether there was something.
  bool ReadSome() {
    const auto view = partition_->Read(next_, {.max_bytes = max_bytes_});
    if (absl::IsOutOfRange(view.status()) && falls_behind_) {
      const int64_t start = *partition_->log_start();
      EXPECT_GT(start, next_) << view.status();
      EXPECT_THAT(view.status().message(), HasSubstr("the log starts at"));
      skipped_ += start - next_;
      next_ = start;
      return true;
    }
    EXPECT_THAT(view, IsOk()) << "at offset " << next_;
    if (!view.ok() || view->empty()) return false;
    RecordBatches::Records records = view->records();
    while (const RecordView* record = records.Next()) {
      EXPECT_EQ(record->offset(), next_);
      EXPECT_EQ(record->value(), ForkedWriter::ValueOf(record->offset()));
      ++next_;
    }
    EXPECT_THAT(records.status(), IsOk());
    EXPECT_EQ(view->next_offset(), next_);
    writer_.progress().reader_at = next_;
    return true;
  }

  // Follows one writer to its end, which comes when it is done or when it has
  // written so much that `kill_at` was read.
  void FollowWriter(int64_t kill_at) {
    bool ended = false;
    while (!HasFailure() && !ended) {
      if (!ReadSome()) ended = writer_.HasEnded();
      if (!ended && next_ >= kill_at) writer_.Kill();
      if (!ended && falls_behind_ && random_() % 50 == 0) {
        // Of two trims the second is far enough ahead.
        const int64_t enough = writer_.progress().trims + 2;
        while (writer_.progress().trims < enough && !ended) {
          absl::SleepFor(absl::Milliseconds(1));
          ended = writer_.HasEnded();
        }
      }
    }
    // Read the records that it wrote between the last read and its end.
    while (ReadSome() && !HasFailure()) {
    }
  }

  const uint64_t seed_ = std::random_device()();
  std::mt19937_64 random_{seed_};
  MemoryDirectory scratch_;
  ForkedWriter writer_{scratch_.path() + "/store"};
  std::unique_ptr<ReadOnlyStore> reader_;
  std::unique_ptr<ReadOnlyPartition> partition_;
  int64_t next_ = 0;
  int64_t skipped_ = 0;
  int64_t max_bytes_ = int64_t{1} << 20;
  bool falls_behind_ = false;
};

INSTANTIATE_TEST_SUITE_P(Access, ReadOnlyFollowTest,
                         testing::Values(SealedAccess::kMap,
                                         SealedAccess::kRead),
                         [](const auto& access) {
                           return access.param == SealedAccess::kMap ? "Map"
                                                                     : "Read";
                         });

TEST_P(ReadOnlyFollowTest, SeesAllInOrderAndOnceThroughAThousandRolls) {
  for (int round = 0; writer_.progress().rolls < 1000 && !HasFailure();
       ++round) {
    writer_.Start(random_(),
                  round % 3 == 0 ? Trims::kNone : Trims::kBehindTheReader);
    FollowWriter(round % 2 == 0
                     ? next_ + 1 + static_cast<int64_t>(random_() % 800)
                     : std::numeric_limits<int64_t>::max());
    max_bytes_ = static_cast<int64_t>(random_() % 3000);
    if (round % 2 != 0) {
      EXPECT_EQ(next_, writer_.EndOfTheLog()) << "round " << round;
    }
  }
  EXPECT_EQ(next_, writer_.EndOfTheLog());
  // Files were deleted while they were followed.
  EXPECT_GT(writer_.progress().deleted_segments, 100);
  std::cout << next_ << " records, " << writer_.progress().rolls << " rolls, "
            << writer_.progress().deleted_segments << " of them deleted"
            << std::endl;
}

TEST_P(ReadOnlyFollowTest, TrimsThatPassTheReaderAreToldAndNothingElseIsLost) {
  falls_behind_ = true;
  max_bytes_ = 300;
  for (int round = 0; round < 6 && !HasFailure(); ++round) {
    writer_.Start(random_(), Trims::kAnywhere);
    FollowWriter(round % 2 == 0 ? next_ + 400
                                : std::numeric_limits<int64_t>::max());
  }
  EXPECT_EQ(next_, writer_.EndOfTheLog());
  EXPECT_GT(skipped_, 0);
  EXPECT_GT(writer_.progress().deleted_segments, 0);
  std::cout << next_ << " records, " << skipped_ << " of them trimmed away"
            << std::endl;
}

}  // namespace
}  // namespace varve
