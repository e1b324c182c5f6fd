// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/time_search.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <random>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/partition_fixture.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;

class TimeSearchTest : public PartitionFixture {
 protected:
  void AppendAt(int64_t timestamp_ms) {
    ASSERT_THAT(
        log_->Append(Record{.value = "v",
                            .timestamp = absl::FromUnixMillis(timestamp_ms)},
                     Durability::kMemory),
        IsOk());
    timestamps_.push_back(timestamp_ms);
  }
  absl::StatusOr<int64_t> Find(int64_t timestamp_ms) {
    return log_->OffsetForTime(absl::FromUnixMillis(timestamp_ms));
  }
  // The offset found by looking at every record.
  int64_t Expected(int64_t timestamp_ms) const {
    for (int64_t i = log_->log_start();
         i < static_cast<int64_t>(timestamps_.size()); ++i) {
      if (timestamps_[static_cast<size_t>(i)] >= timestamp_ms) return i;
    }
    return static_cast<int64_t>(timestamps_.size());
  }

  std::vector<int64_t> timestamps_;
};

TEST_F(TimeSearchTest, FirstRecordOfThatTimeOrLaterIsFound) {
  Recover();
  for (int64_t t : {100, 200, 200, 150, 300}) AppendAt(t);
  EXPECT_THAT(Find(0), IsOkAndHolds(0));
  EXPECT_THAT(Find(100), IsOkAndHolds(0));
  EXPECT_THAT(Find(101), IsOkAndHolds(1));
  EXPECT_THAT(Find(200), IsOkAndHolds(1));
  EXPECT_THAT(Find(201), IsOkAndHolds(4));
  EXPECT_THAT(Find(301), IsOkAndHolds(5));
}

TEST_F(TimeSearchTest, TimeBetweenTwoMillisecondsIsAfterTheFirst) {
  Recover();
  for (int64_t t : {100, 101}) AppendAt(t);
  const absl::Time between = absl::FromUnixMillis(100) + absl::Nanoseconds(1);
  EXPECT_THAT(log_->OffsetForTime(between), IsOkAndHolds(1));
  const absl::Time soon_after =
      absl::FromUnixMillis(100) + absl::Nanoseconds(1) / 4;
  EXPECT_THAT(log_->OffsetForTime(soon_after), IsOkAndHolds(1));
}

TEST_F(TimeSearchTest, EmptyLogAndInfiniteTimesGiveTheirEnds) {
  Recover();
  EXPECT_THAT(Find(5), IsOkAndHolds(0));
  AppendAt(5);
  EXPECT_THAT(log_->OffsetForTime(absl::InfinitePast()), IsOkAndHolds(0));
  EXPECT_THAT(log_->OffsetForTime(absl::InfiniteFuture()), IsOkAndHolds(1));
}

TEST_F(TimeSearchTest, RecordInsideABatchIsFound) {
  Recover();
  RecordBatchBuilder builder;
  for (int64_t t : {500, 100, 900}) {
    ASSERT_THAT(builder.Append({.value = "v"}, t), IsOk());
  }
  ASSERT_THAT(log_->Append(builder.Finish(), Durability::kMemory), IsOk());
  EXPECT_THAT(Find(501), IsOkAndHolds(2));
  EXPECT_THAT(Find(500), IsOkAndHolds(0));
}

TEST_F(TimeSearchTest, RecordsBelowTheLogStartDoNotCount) {
  Recover();
  for (int64_t t : {300, 100, 200}) AppendAt(t);
  ASSERT_THAT(log_->TrimBefore(1), IsOk());
  EXPECT_THAT(Find(150), IsOkAndHolds(2));
  EXPECT_THAT(Find(250), IsOkAndHolds(3));
}

TEST_F(TimeSearchTest, EveryTimeOfRandomLogsIsFoundInManySegments) {
  const auto seed = std::random_device()();
  RecordProperty("seed", static_cast<int>(seed));
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  config_.segment_bytes = 4000;
  config_.index_interval_bytes = 200;
  Recover();
  int64_t time = 1000;
  for (int i = 0; i < 600; ++i) {
    time += static_cast<int64_t>(random() % 20);
    // Every tenth record is late.
    AppendAt(random() % 10 == 0 ? time - static_cast<int64_t>(random() % 500)
                                : time);
  }
  ASSERT_GT(log_->segment_count(), 5);
  for (int64_t t = 900; t < time + 10; ++t) {
    ASSERT_THAT(Find(t), IsOkAndHolds(Expected(t))) << t;
  }
  ASSERT_THAT(log_->Park(), IsOk());
  for (int64_t t = 900; t < time + 10; t += 7) {
    ASSERT_THAT(Find(t), IsOkAndHolds(Expected(t))) << t;
  }
}

TEST_F(TimeSearchTest, LogWithoutTimeIndexIsSearchedAllTheSame) {
  config_.segment_bytes = 4000;
  config_.index_interval_bytes = 200;
  Recover();
  for (int64_t i = 0; i < 300; ++i) AppendAt(1000 + 10 * i);
  ASSERT_THAT(log_->Park(), IsOk());
  for (const auto& entry : std::filesystem::directory_iterator(path_)) {
    if (entry.path().extension() == ".timeindex") {
      std::filesystem::remove(entry.path());
    }
  }
  for (int64_t t = 990; t < 4020; t += 5) {
    ASSERT_THAT(Find(t), IsOkAndHolds(Expected(t))) << t;
  }
}

TEST_F(TimeSearchTest, TimeIndexOfAnotherLogIsNotBelieved) {
  config_.index_interval_bytes = 200;
  Recover();
  for (int64_t i = 0; i < 300; ++i) AppendAt(1000 + 10 * i);
  ASSERT_THAT(log_->Park(), IsOk());
  // All entries moved to earlier times: they claim that the records are later.
  const std::string path = path_ + "/00000000000000000000.timeindex";
  std::string bytes = ReadBytes(path);
  for (size_t at = 0; at + 12 <= bytes.size(); at += 12) {
    bytes[at + 6] = static_cast<char>(bytes[at + 6] - 3);
  }
  WriteBytes(path, bytes);
  for (int64_t t = 990; t < 4020; t += 50) {
    ASSERT_THAT(Find(t), IsOkAndHolds(Expected(t))) << t;
  }
}

}  // namespace
}  // namespace varve
