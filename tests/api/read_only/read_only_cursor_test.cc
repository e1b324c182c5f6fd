// SPDX-License-Identifier: Apache-2.0

// A cursor over a partition of a store that is open to read only. Damage is in
// ../cursor_damage_test.cc.

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/partition_fixture.h"
#include "tests/fixture/store_fixture.h"
#include "varve/api/cursor.h"
#include "varve/api/log_store.h"
#include "varve/api/read_only_partition.h"
#include "varve/api/read_only_store.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/durability.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;

class ReadOnlyCursorTest : public StoreFixture {
 protected:
  void SetUp() override {
    Open();
    TopicConfig config;
    config.log.segment_bytes = 500;
    ASSERT_THAT(store_->CreateTopic("orders", config), IsOk());
    auto reader = LogStore::OpenReadOnly(path_);
    ASSERT_THAT(reader, IsOk());
    reader_ = *std::move(reader);
  }
  StoreOptions Options() override {
    StoreOptions options;
    options.background = Background::kNone;
    return options;
  }

  void AppendMany(int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      ASSERT_THAT(Orders().Append({.value = "v"}, Durability::kMemory), IsOk());
    }
  }
  ReadOnlyPartition Outside() {
    auto partition = reader_->partition("orders", 0);
    CHECK_OK(partition.status());
    return *std::move(partition);
  }
  static std::vector<int64_t> Rest(Cursor& cursor) {
    std::vector<int64_t> offsets;
    while (const RecordView* record = cursor.Next()) {
      offsets.push_back(record->offset());
    }
    return offsets;
  }

  std::unique_ptr<ReadOnlyStore> reader_;
};

TEST_F(ReadOnlyCursorTest, ReturnsEveryRecordOverSegmentsAndGoesOn) {
  AppendMany(40);
  Cursor cursor(Outside(), 0, {.read = {.max_bytes = 200}});
  EXPECT_EQ(cursor.topic(), "orders");
  EXPECT_EQ(cursor.index(), 0);
  for (int64_t i = 0; i < 40; ++i) {
    const RecordView* record = cursor.Next();
    ASSERT_NE(record, nullptr) << cursor.status();
    EXPECT_EQ(record->offset(), i);
  }
  EXPECT_THAT(Rest(cursor), IsEmpty());
  EXPECT_THAT(cursor.status(), IsOk());
  AppendMany(2);
  EXPECT_THAT(Rest(cursor), ElementsAre(40, 41));
}

TEST_F(ReadOnlyCursorTest, WaitReturnsWhatIsAppendedMeanwhile) {
  Cursor cursor(Outside(), 0);
  EXPECT_EQ(cursor.Next(absl::Now() + absl::Milliseconds(5)), nullptr);
  EXPECT_THAT(cursor.status(), IsOk());
  std::thread appender([&] { AppendMany(1); });
  const RecordView* record = cursor.Next(absl::InfiniteFuture());
  ASSERT_NE(record, nullptr) << cursor.status();
  EXPECT_EQ(record->offset(), 0);
  appender.join();
}

TEST_F(ReadOnlyCursorTest, DeletedRecordsAreOutOfRangeOrReset) {
  AppendMany(20);
  ASSERT_THAT(Orders().TrimBefore(18), IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  Cursor none(Outside(), 3);
  EXPECT_EQ(none.Next(absl::InfiniteFuture()), nullptr);
  EXPECT_THAT(none.status(), StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_EQ(none.position(), 3);
  Cursor earliest(Outside(), 3, {.reset = OffsetReset::kEarliest});
  EXPECT_THAT(Rest(earliest), ElementsAre(18, 19));
  EXPECT_EQ(earliest.resets(), 1);
  EXPECT_EQ(earliest.last_reset().from, 3);
  EXPECT_EQ(earliest.last_reset().to, 18);
  Cursor latest(Outside(), 100, {.reset = OffsetReset::kLatest});
  EXPECT_THAT(Rest(latest), IsEmpty());
  EXPECT_EQ(latest.position(), 20);
}

TEST_F(ReadOnlyCursorTest, WaitAtTheEndOfALogThatARecoveryCutsSaysSo) {
  AppendMany(5);
  // As after a crash; nothing is durable.
  const std::string crashed = scratch_ / "crashed";
  std::filesystem::copy(path_, crashed,
                        std::filesystem::copy_options::recursive);
  auto reader = LogStore::OpenReadOnly(crashed);
  ASSERT_THAT(reader, IsOk());
  auto outside = (*reader)->partition("orders", 0);
  ASSERT_THAT(outside, IsOk());
  Cursor cursor(*outside, 0);
  EXPECT_EQ(Rest(cursor).size(), 5);
  const auto first = outside->Read(0, {.max_bytes = 0});
  ASSERT_THAT(first, IsOk());
  std::filesystem::resize_file(crashed + "/orders-0/00000000000000000000.log",
                               static_cast<uint64_t>(3 * first->size_bytes()));
  auto recovered = LogStore::Open(crashed, {.background = Background::kNone});
  ASSERT_THAT(recovered, IsOk());
  EXPECT_EQ((*recovered)->partition("orders", 0)->visible_end(), 3);
  EXPECT_EQ(cursor.Next(absl::InfiniteFuture()), nullptr);
  EXPECT_THAT(cursor.status(), StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_EQ(cursor.position(), 5);
}

// A cursor at the end of a log of one record, whose wait fails.
class FailedWaitTest : public ReadOnlyCursorTest {
 protected:
  void SetUp() override {
    ReadOnlyCursorTest::SetUp();
    AppendWide(1);
    ReadOnlyOptions options;
    options.environment.files = &files_;
    options.environment.clock = &clock_;
    auto opened = LogStore::OpenReadOnly(path_, options);
    ASSERT_THAT(opened, IsOk());
    reader_ = *std::move(opened);
  }
  void TearDown() override {
    reader_ = nullptr;
    ReadOnlyCursorTest::TearDown();
  }

  // Each is a segment.
  void AppendWide(int64_t count) {
    const std::string value(400, 'v');
    for (int64_t i = 0; i < count; ++i) {
      ASSERT_THAT(Orders().Append({.value = value}, Durability::kMemory),
                  IsOk());
    }
  }
  // Waits, with `action` after the read that finds the end; the wait's first
  // call then fails.
  void WaitAndFail(Cursor& cursor, const std::function<void()>& action) {
    ASSERT_EQ(Rest(cursor).size(), 1);
    const int64_t before = files_.call_count();
    ASSERT_EQ(cursor.Next(), nullptr);
    const int64_t after = files_.call_count();
    const int64_t of_the_wait = after + (after - before);
    files_.RunBefore(of_the_wait, [&] {
      action();
      clock_.Advance(absl::Seconds(1));  // it looks at the directory again
    });
    files_.FailCall(of_the_wait, EIO, FaultyFileSystem::Repeat::kOnce);
    EXPECT_EQ(cursor.Next(absl::InfiniteFuture()), nullptr);
  }

  FaultyFileSystem files_;
  ManualClock clock_;
};

TEST_F(FailedWaitTest, DamageThatIsFoundThenSaysWhereItEnds) {
  Cursor cursor(Outside(), 0);
  WaitAndFail(cursor, [this] {
    AppendWide(2);
    const std::string log = path_ + "/orders-0/00000000000000000001.log";
    WriteBytes(log, WithBitFlipped(ReadBytes(log), 100 * 8));
  });
  EXPECT_THAT(cursor.status(), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(cursor.position(), 1);
  EXPECT_THAT(cursor.next_readable(), Optional(2));
}

TEST_F(FailedWaitTest, RecordsThatAreDeletedThenAreJumpedOver) {
  Cursor cursor(Outside(), 0, {.reset = OffsetReset::kEarliest});
  WaitAndFail(cursor, [this] {
    AppendWide(3);
    ASSERT_THAT(Orders().TrimBefore(3), IsOk());
  });
  EXPECT_THAT(cursor.status().message(), HasSubstr("Input/output error"));
  EXPECT_EQ(cursor.resets(), 1);
  EXPECT_THAT(Rest(cursor), ElementsAre(3));
}

TEST_F(ReadOnlyCursorTest, DeletedTopicIsNotFound) {
  AppendMany(1);
  Cursor cursor(Outside(), 0);
  ASSERT_NE(cursor.Next(), nullptr);
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  EXPECT_EQ(cursor.Next(absl::InfiniteFuture()), nullptr);
  EXPECT_THAT(cursor.status(), StatusIs(absl::StatusCode::kNotFound));
}

TEST(EmptyReadOnlyPartitionTest, RefusesCalls) {
  const ReadOnlyPartition partition;
  EXPECT_FALSE(partition.valid());
  EXPECT_FALSE(partition);
  const auto refused = StatusIs(absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(partition.Read(0), refused);
  EXPECT_THAT(partition.WaitFor(0), refused);
  EXPECT_THAT(partition.OffsetForTime(absl::UnixEpoch()), refused);
  EXPECT_THAT(partition.Bounds(), refused);
  EXPECT_THAT(partition.Stats(), refused);
  EXPECT_THAT(partition.log_start(), refused);
  EXPECT_THAT(partition.visible_end(), refused);
  EXPECT_DEATH(partition.topic(), "default-constructed");
  EXPECT_DEATH(partition.index(), "default-constructed");
}

TEST_F(ReadOnlyCursorTest, EmptyHandleIsOneOnceItIsAssigned) {
  ReadOnlyPartition partition;
  partition = Outside();
  EXPECT_TRUE(partition.valid());
  EXPECT_TRUE(partition);
  EXPECT_EQ(partition.topic(), "orders");
  EXPECT_THAT(partition.visible_end(), IsOkAndHolds(0));
}

}  // namespace
}  // namespace varve
