// SPDX-License-Identifier: Apache-2.0

// Views pin segments, and a store knows how many, which and since when.

#include "varve/log/segment/segment_pins.h"

#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/partition_fixture.h"
#include "tests/fixture/store_fixture.h"
#include "varve/api/log_store.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/durability.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;

// A store that does nothing in the background, by a clock that stands still.
// Its topic has segments of two batches: 0, 2, 4, 6, 8.
class SegmentPinsTest : public StoreFixture {
 protected:
  static constexpr int64_t kBatchSize = 61 + 17;

  void SetUp() override {
    Open();
    Create();
  }
  StoreOptions Options() override {
    return {.background = Background::kNone, .environment = {.clock = &clock_}};
  }

  void Create() {
    TopicConfig config;
    config.log.segment_bytes = 2 * kBatchSize;
    ASSERT_THAT(store_->CreateTopic("orders", config), IsOk());
    for (int i = 0; i < 9; ++i) {
      ASSERT_THAT(Orders().Append({.value = "0123456789"}, Durability::kMemory),
                  IsOk());
    }
    ASSERT_EQ(Orders().segment_count(), 5);
  }

  RecordBatches Read(int64_t offset) {
    auto view = Orders().Read(offset);
    EXPECT_THAT(view, IsOk());
    return *std::move(view);
  }
  // The pins of the store; those of its only partition are the same.
  PinCounts Pins() {
    const StoreMetrics metrics = store_->Metrics();
    const auto each = metrics.partitions.find({"orders", 0});
    const PinCounts pins =
        each == metrics.partitions.end() ? PinCounts() : each->second.pins;
    EXPECT_EQ(metrics.holdings.pins, pins);
    return pins;
  }

  ManualClock clock_;
};

TEST_F(SegmentPinsTest, ViewsAndTheirCopiesAreCountedWhileTheyLive) {
  EXPECT_EQ(Pins(), PinCounts());
  std::optional<RecordBatches> first = Read(0);
  EXPECT_EQ(Pins(), (PinCounts{.pins = 1, .segments = 1}));
  std::optional<RecordBatches> copy = first;
  std::optional<RecordBatches> active = Read(8);
  EXPECT_EQ(Pins(), (PinCounts{.pins = 3, .segments = 2}));
  first.reset();
  EXPECT_EQ(Pins(), (PinCounts{.pins = 2, .segments = 2}));
  copy.reset();
  active.reset();
  EXPECT_EQ(Pins(), PinCounts());
}

TEST_F(SegmentPinsTest, EmptyViewPinsNothing) {
  ASSERT_THAT(Orders().Sync(), IsOk());
  const RecordBatches end = Read(9);
  ASSERT_TRUE(end.empty());
  EXPECT_EQ(Pins(), PinCounts());
}

TEST_F(SegmentPinsTest, DeletedSegmentsAreCountedWithTheirBytesAndAge) {
  const RecordBatches oldest = Read(0);
  std::optional<RecordBatches> second = Read(2);
  const RecordBatches kept = Read(8);
  ASSERT_THAT(Orders().TrimBefore(3), IsOk());
  clock_.Advance(absl::Seconds(7));
  EXPECT_EQ(Pins(), (PinCounts{.pins = 3,
                               .segments = 3,
                               .deleted_segments = 1,
                               .deleted_bytes = 2 * kBatchSize,
                               .oldest_deleted_age = absl::Seconds(7)}));
  ASSERT_THAT(Orders().TrimBefore(8), IsOk());
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(Pins(), (PinCounts{.pins = 3,
                               .segments = 3,
                               .deleted_segments = 2,
                               .deleted_bytes = 4 * kBatchSize,
                               .oldest_deleted_age = absl::Seconds(8)}));
  second.reset();
  EXPECT_EQ(Pins().deleted_bytes, 2 * kBatchSize);
}

TEST_F(SegmentPinsTest, SegmentWithoutAViewIsNotCountedWhenItIsDeleted) {
  { const RecordBatches gone = Read(0); }
  ASSERT_THAT(Orders().TrimBefore(8), IsOk());
  EXPECT_EQ(Pins(), PinCounts());
}

TEST_F(SegmentPinsTest, ViewOfAParkedSegmentStaysAPinAndIsDeletedWithIt) {
  const RecordBatches parked = Read(0);
  // Everything that is not used is closed in the second round.
  for (int round = 0; round < 3; ++round) {
    clock_.Advance(absl::Minutes(1));
    ASSERT_THAT(store_->RunMaintenance(), IsOk());
  }
  EXPECT_EQ(Pins(), (PinCounts{.pins = 1, .segments = 1}));
  const RecordBatches again = Read(0);
  EXPECT_EQ(Pins(), (PinCounts{.pins = 2, .segments = 2}));
  ASSERT_THAT(Orders().TrimBefore(2), IsOk());
  EXPECT_EQ(Pins().deleted_segments, 2);
}

TEST_F(SegmentPinsTest, ViewsOfADeletedTopicCountForTheStoreAlone) {
  std::optional<RecordBatches> view = Read(0);
  std::optional<RecordBatches> active = Read(8);
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  clock_.Advance(absl::Seconds(5));
  Create();
  const StoreMetrics metrics = store_->Metrics();
  EXPECT_FALSE(metrics.partitions.contains({"orders", 0}) &&
               metrics.partitions.at({"orders", 0}).pins.pins > 0);
  EXPECT_EQ(metrics.holdings.pins,
            (PinCounts{.pins = 2,
                       .segments = 2,
                       .deleted_segments = 2,
                       .deleted_bytes = 3 * kBatchSize,
                       .oldest_deleted_age = absl::Seconds(5)}));
  EXPECT_EQ(view->size_bytes(), 2 * kBatchSize);
  view.reset();
  active.reset();
  EXPECT_EQ(store_->Metrics().holdings.pins, PinCounts());
}

TEST_F(SegmentPinsTest, ViewsThatOutliveTheStoreAreCountedAfterItsClose) {
  const RecordBatches view = Read(0);
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_EQ(Pins(), (PinCounts{.pins = 1, .segments = 1}));
  store_ = nullptr;
  EXPECT_EQ(view.size_bytes(), 2 * kBatchSize);
}

TEST_F(SegmentPinsTest, ThreadsThatReadAndTrimLeaveNoPinBehind) {
  std::vector<std::thread> readers;
  for (int t = 0; t < 3; ++t) {
    readers.emplace_back([this] {
      for (int64_t i = 0; i < 2000; ++i) {
        // The view is below the log start after a while.
        const auto view = Orders().Read(i % 9);
        if (i % 50 == 0) store_->Metrics();
      }
    });
  }
  for (int64_t offset = 1; offset < 9; ++offset)
    ASSERT_THAT(Orders().TrimBefore(offset), IsOk());
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(Pins(), PinCounts());
  EXPECT_EQ(store_->Metrics().deleted_segments, 4);
  EXPECT_EQ(store_->Metrics().deleted_bytes, 8 * kBatchSize);
}

}  // namespace
}  // namespace varve
