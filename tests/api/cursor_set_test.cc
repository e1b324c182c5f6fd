// SPDX-License-Identifier: Apache-2.0

#include "varve/api/cursor_set.h"

#include <poll.h>

#include <cstdint>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/producer_client.h"
#include "tests/fixture/store_fixture.h"
#include "tests/fixture/watchdog.h"
#include "varve/api/cursor.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/read_only_partition.h"
#include "varve/api/read_only_store.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/read_options.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;

constexpr int32_t kPartitions = 4;
constexpr CursorOptions kDurable = {.read = {.level = ReadLevel::kDurable}};

class CursorSetTest : public StoreFixture {
 protected:
  void SetUp() override {
    Open();
    ASSERT_THAT(store_->CreateTopic("orders", {.partitions = kPartitions}),
                IsOk());
  }
  StoreOptions Options() override {
    StoreOptions options;
    options.background = Background::kNone;
    return options;
  }

  void Append(int32_t index, std::string_view value = "v") {
    ASSERT_THAT(Orders(index).Append({.value = value}, Durability::kMemory),
                IsOk());
  }
  // Cursors at the log starts of all partitions.
  void AddAll() {
    for (int32_t i = 0; i < kPartitions; ++i) set_.Add(Cursor(Orders(i), 0));
  }
  // Reads to the end. Returns how many records there were.
  static int64_t Drain(Cursor& cursor) {
    int64_t count = 0;
    while (cursor.Next() != nullptr) ++count;
    return count;
  }
  bool DescriptorIsReadable() { return IsReadable(set_); }
  static bool IsReadable(CursorSet& set) {
    const auto descriptor = set.Descriptor();
    EXPECT_THAT(descriptor, IsOk());
    pollfd polled = {.fd = *descriptor, .events = POLLIN, .revents = 0};
    return poll(&polled, 1, 0) == 1;
  }

  CursorSet set_;
};

TEST_F(CursorSetTest, ReturnsTheCursorThatHasSomethingAndNoOther) {
  AddAll();
  EXPECT_EQ(set_.Wait(), nullptr);
  Append(2, "two");
  Cursor* cursor = set_.Wait(absl::InfiniteFuture());
  ASSERT_NE(cursor, nullptr);
  EXPECT_EQ(cursor->topic(), "orders");
  EXPECT_EQ(cursor->index(), 2);
  const RecordView* record = cursor->Next();
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->value(), "two");
  EXPECT_EQ(cursor->Next(), nullptr);
  EXPECT_EQ(set_.Wait(), nullptr);
}

TEST_F(CursorSetTest, CursorsTakeTurns) {
  AddAll();
  for (int32_t i = 0; i < kPartitions; ++i) Append(i);
  for (int32_t i = 0; i < 2 * kPartitions; ++i) {
    Cursor* cursor = set_.Wait();
    ASSERT_NE(cursor, nullptr);
    EXPECT_EQ(cursor->index(), i % kPartitions);
  }
}

TEST_F(CursorSetTest, RecordsThatAreLeftAreReturnedAgain) {
  AddAll();
  Append(1);
  Append(1);
  for (int i = 0; i < 2; ++i) {
    Cursor* cursor = set_.Wait();
    ASSERT_NE(cursor, nullptr);
    EXPECT_NE(cursor->Next(), nullptr);
  }
  EXPECT_EQ(set_.Wait(), nullptr);
}

TEST_F(CursorSetTest, DeadlineThatPassesReturnsNull) {
  AddAll();
  EXPECT_EQ(set_.Wait(absl::Now() + absl::Milliseconds(5)), nullptr);
}

TEST_F(CursorSetTest, EmptySetHasNothingToWaitFor) {
  EXPECT_EQ(set_.size(), 0);
  EXPECT_EQ(set_.Wait(absl::InfiniteFuture()), nullptr);
}

TEST_F(CursorSetTest, NoAppendOfAnyPartitionIsMissed) {
  constexpr int64_t kEach = 5000;
  const Watchdog watchdog(absl::Minutes(2), "an append was not heard");
  AddAll();
  std::vector<std::thread> appenders;
  for (int32_t t = 0; t < 2; ++t) {
    appenders.emplace_back([this, t] {
      for (int64_t i = 0; i < kEach; ++i) {
        Append((t * 2 + static_cast<int32_t>(i % 2)) % kPartitions);
      }
    });
  }
  std::vector<int64_t> next(kPartitions);
  for (int64_t left = 2 * kEach; left > 0;) {
    Cursor* cursor = set_.Wait(absl::InfiniteFuture());
    ASSERT_NE(cursor, nullptr);
    while (const RecordView* record = cursor->Next()) {
      EXPECT_EQ(record->offset(), next[static_cast<size_t>(cursor->index())]++);
      --left;
    }
    EXPECT_THAT(cursor->status(), IsOk());
  }
  for (std::thread& appender : appenders) appender.join();
  EXPECT_EQ(set_.Wait(), nullptr);
}

TEST_F(CursorSetTest, DescriptorIsReadableFromAnAppendUntilAllIsRead) {
  AddAll();
  EXPECT_EQ(set_.Wait(), nullptr);
  EXPECT_FALSE(DescriptorIsReadable());
  for (int32_t i = 0; i < kPartitions; ++i) {
    Append(i);
    EXPECT_TRUE(DescriptorIsReadable());
    Cursor* cursor = set_.Wait();
    ASSERT_NE(cursor, nullptr);
    EXPECT_EQ(cursor->index(), i);
    EXPECT_EQ(Drain(*cursor), 1);
    EXPECT_EQ(set_.Wait(), nullptr);
    EXPECT_FALSE(DescriptorIsReadable());
  }
}

TEST_F(CursorSetTest, DescriptorIsReadableOnceACursorIsAdded) {
  EXPECT_FALSE(DescriptorIsReadable());
  AddAll();
  EXPECT_TRUE(DescriptorIsReadable());
  EXPECT_EQ(set_.Wait(), nullptr);
  EXPECT_FALSE(DescriptorIsReadable());
  Append(0);
  EXPECT_EQ(Drain(*set_.Wait()), 1);
  EXPECT_EQ(set_.Wait(), nullptr);
  // It has something to read that no append will tell of.
  Cursor* added = set_.Add(Cursor(Orders(0), 0));
  EXPECT_TRUE(DescriptorIsReadable());
  EXPECT_EQ(set_.Wait(), added);
}

TEST_F(CursorSetTest, DescriptorThatIsMadeLateKnowsOfAnAppendBefore) {
  AddAll();
  EXPECT_EQ(set_.Wait(), nullptr);
  Append(3);
  EXPECT_TRUE(DescriptorIsReadable());
}

TEST_F(CursorSetTest, DurableCursorIsWokenByTheSyncAndNotByTheAppend) {
  set_.Add(Cursor(Orders(0), 0, kDurable));
  EXPECT_EQ(set_.Wait(), nullptr);
  Append(0);
  EXPECT_FALSE(DescriptorIsReadable());
  EXPECT_EQ(set_.Wait(), nullptr);
  ASSERT_THAT(Orders(0).Sync(), IsOk());
  EXPECT_TRUE(DescriptorIsReadable());
  Cursor* cursor = set_.Wait();
  ASSERT_NE(cursor, nullptr);
  EXPECT_EQ(Drain(*cursor), 1);
}

TEST_F(CursorSetTest, CommittedCursorIsWokenByTheMarkerAlone) {
  const ProducerClient client = {.transactional = Transactional::kYes};
  for (const ReadLevel level : {ReadLevel::kVisible, ReadLevel::kDurable}) {
    const CursorOptions committed = {
        .read = {.level = level, .isolation = Isolation::kReadCommitted}};
    Partition orders = Orders(level == ReadLevel::kVisible ? 0 : 1);
    CursorSet set;
    Cursor* cursor = set.Add(Cursor(orders, 0, committed));
    EXPECT_EQ(set.Wait(), nullptr);
    for (int32_t i = 0; i < 3; ++i) {
      RecordBatchBuilder batch = client.Batch(i);
      ASSERT_THAT(orders.Append(batch.Finish(), Durability::kSynced), IsOk());
      EXPECT_FALSE(IsReadable(set));
      EXPECT_EQ(set.Wait(), nullptr);
    }
    RecordBatchBuilder marker = client.Marker(ControlRecordType::kCommit);
    ASSERT_THAT(orders.Append(marker.Finish(), Durability::kSynced), IsOk());
    EXPECT_TRUE(IsReadable(set));
    EXPECT_EQ(set.Wait(), cursor);
    EXPECT_EQ(Drain(*cursor), 3);
  }
}

TEST_F(CursorSetTest, SeekBackIsWaitedForFromThere) {
  Append(0);
  Append(0);
  Cursor* cursor = set_.Add(Cursor(Orders(0), 2, kDurable));
  EXPECT_EQ(set_.Wait(), nullptr);
  cursor->Seek(0);
  EXPECT_EQ(set_.Wait(), nullptr);
  EXPECT_FALSE(DescriptorIsReadable());
  ASSERT_THAT(Orders(0).Sync(), IsOk());
  EXPECT_TRUE(DescriptorIsReadable());
  ASSERT_EQ(set_.Wait(), cursor);
  EXPECT_EQ(Drain(*cursor), 2);
}

TEST_F(CursorSetTest, OffsetOutOfRangeIsReturnedAndReported) {
  Append(0);
  Append(0);
  set_.Add(Cursor(Orders(0), 0));
  ASSERT_THAT(Orders(0).TrimBefore(1), IsOk());
  set_.Add(Cursor(Orders(1), 100));
  for (int i = 0; i < 2; ++i) {
    Cursor* cursor = set_.Wait();
    ASSERT_NE(cursor, nullptr);
    EXPECT_EQ(cursor->Next(), nullptr);
    EXPECT_THAT(cursor->status(), StatusIs(absl::StatusCode::kOutOfRange));
    set_.Remove(cursor);
  }
  EXPECT_EQ(set_.size(), 0);
}

TEST_F(CursorSetTest, OffsetOutOfRangeBesideAWriterIsReturnedAndReported) {
  Append(0);
  Append(0);
  auto reader = LogStore::OpenReadOnly(path_);
  ASSERT_THAT(reader, IsOk());
  for (const ReadLevel level : {ReadLevel::kVisible, ReadLevel::kDurable}) {
    auto outside = (*reader)->partition("orders", 0);
    ASSERT_THAT(outside, IsOk());
    Cursor* added = set_.Add(Cursor(*outside, 100, {.read = {.level = level}}));
    Cursor* cursor = set_.Wait();
    ASSERT_EQ(cursor, added);
    EXPECT_EQ(cursor->Next(), nullptr);
    EXPECT_THAT(cursor->status(), StatusIs(absl::StatusCode::kOutOfRange));
    set_.Remove(cursor);
  }
}

TEST_F(CursorSetTest, DeletedTopicIsReportedAndTheOthersGoOn) {
  AddAll();
  ASSERT_THAT(store_->CreateTopic("deleted"), IsOk());
  set_.Add(Cursor(*store_->partition("deleted", 0), 0));
  EXPECT_EQ(set_.Wait(), nullptr);
  ASSERT_THAT(store_->DeleteTopic("deleted"), IsOk());
  EXPECT_TRUE(DescriptorIsReadable());
  Cursor* cursor = set_.Wait(absl::InfiniteFuture());
  ASSERT_NE(cursor, nullptr);
  EXPECT_EQ(cursor->Next(), nullptr);
  EXPECT_THAT(cursor->status(), StatusIs(absl::StatusCode::kNotFound));
  set_.Remove(cursor);
  EXPECT_EQ(set_.Wait(), nullptr);
  Append(3);
  cursor = set_.Wait(absl::InfiniteFuture());
  ASSERT_NE(cursor, nullptr);
  EXPECT_EQ(cursor->index(), 3);
}

TEST_F(CursorSetTest, CloseEndsAWaitAndIsReported) {
  AddAll();
  std::thread closer([&] { EXPECT_THAT(store_->Close(), IsOk()); });
  for (int32_t i = 0; i < kPartitions; ++i) {
    Cursor* cursor = set_.Wait(absl::InfiniteFuture());
    ASSERT_NE(cursor, nullptr);
    EXPECT_EQ(cursor->Next(), nullptr);
    EXPECT_THAT(cursor->status(),
                StatusIs(absl::StatusCode::kFailedPrecondition));
    set_.Remove(cursor);
  }
  closer.join();
}

TEST_F(CursorSetTest, RemovedCursorIsNotWaitedFor) {
  AddAll();
  Cursor* removed = set_.Add(Cursor(Orders(0), 0));
  EXPECT_EQ(set_.Wait(), nullptr);
  set_.Remove(removed);
  EXPECT_EQ(set_.size(), kPartitions);
  Append(0);
  Cursor* cursor = set_.Wait();
  ASSERT_NE(cursor, nullptr);
  EXPECT_EQ(Drain(*cursor), 1);
  EXPECT_EQ(set_.Wait(), nullptr);
}

TEST_F(CursorSetTest, AppendAfterTheEndOfASetThatWaitedHarmsNothing) {
  {
    CursorSet set;
    set.Add(Cursor(Orders(0), 0));
    EXPECT_EQ(set.Wait(), nullptr);
  }
  Append(0);
  AddAll();
  Cursor* cursor = set_.Wait();
  ASSERT_NE(cursor, nullptr);
  EXPECT_EQ(Drain(*cursor), 1);
}

TEST_F(CursorSetTest, SetsThatWaitForOnePartitionAreAllWoken) {
  CursorSet other;
  Cursor* in_other = other.Add(Cursor(Orders(0), 0));
  Cursor* in_set = set_.Add(Cursor(Orders(0), 0));
  EXPECT_EQ(other.Wait(), nullptr);
  EXPECT_EQ(set_.Wait(), nullptr);
  std::thread appender([&] { Append(0); });
  EXPECT_EQ(other.Wait(absl::InfiniteFuture()), in_other);
  EXPECT_EQ(set_.Wait(absl::InfiniteFuture()), in_set);
  appender.join();
}

TEST_F(CursorSetTest, CursorOfNoPartitionIsReported) {
  set_.Add(Cursor());
  Cursor* cursor = set_.Wait(absl::InfiniteFuture());
  ASSERT_NE(cursor, nullptr);
  EXPECT_EQ(cursor->Next(), nullptr);
  EXPECT_THAT(cursor->status(),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(CursorSetTest, PartitionsOfAnotherProcessAreWaitedForBesideOwnOnes) {
  auto reader = LogStore::OpenReadOnly(path_);
  ASSERT_THAT(reader, IsOk());
  auto outside = (*reader)->partition("orders", 0);
  ASSERT_THAT(outside, IsOk());
  Cursor* polled = set_.Add(Cursor(*outside, 0));
  Cursor* own = set_.Add(Cursor(Orders(1), 0));
  EXPECT_EQ(set_.Wait(), nullptr);
  std::thread appender([&] { Append(0, "outside"); });
  ASSERT_EQ(set_.Wait(absl::InfiniteFuture()), polled);
  EXPECT_EQ(polled->Next()->value(), "outside");
  EXPECT_EQ(polled->Next(), nullptr);
  appender.join();
  Append(1, "own");
  ASSERT_EQ(set_.Wait(absl::InfiniteFuture()), own);
  EXPECT_EQ(own->Next()->value(), "own");
}

}  // namespace
}  // namespace varve
