// SPDX-License-Identifier: Apache-2.0

// LogStore::AlterTopic and AddPartitions;
// tests/api/topics/topic_change_faults_test.cc has what happens when they fail.

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/partition_fixture.h"
#include "tests/fixture/store_fixture.h"
#include "tests/fixture/store_snapshot.h"
#include "tests/fixture/watchdog.h"
#include "varve/api/log_store.h"
#include "varve/api/topic_changes.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

class TopicAlterationTest : public StoreFixture {
 protected:
  void SetUp() override {
    Open();
    ASSERT_THAT(store_->CreateTopic("orders", {.partitions = 2}), IsOk());
  }

  absl::Status Set(const std::string& name, const std::string& value) {
    return store_->AlterTopic("orders", {.set = {{name, value}}});
  }

  TopicConfig Config() { return store_->DescribeTopic("orders")->config; }

  ManualClock clock_;
};

TEST_F(TopicAlterationTest, ChangedConfigsAreDescribedAndKept) {
  ASSERT_THAT(store_->AlterTopic("orders", {.set = {{"retention.ms", "1000"},
                                                    {"flush.ms", "5"}}}),
              IsOk());
  ASSERT_THAT(store_->AlterTopic("orders", {.set = {{"segment.bytes", "9999"}},
                                            .reset = {"flush.ms"}}),
              IsOk());
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(Config().log.NonDefault(),
                ElementsAre(Pair("segment.bytes", "9999"),
                            Pair("retention.ms", "1000")));
    EXPECT_EQ(Config().partitions, 2);
    Reopen();
  }
}

TEST_F(TopicAlterationTest, BadChangeChangesNothing) {
  const auto both = [](std::string name, std::string value) {
    return TopicChanges{.set = {{"flush.ms", "5"}, {name, value}}};
  };
  EXPECT_THAT(
      store_->AlterTopic("orders", both("segment.bytes", "13")),
      StatusIs(kInvalid, AllOf(HasSubstr("segment.bytes"), HasSubstr("14"))));
  EXPECT_THAT(store_->AlterTopic("orders", both("segment.byte", "99")),
              StatusIs(kInvalid, HasSubstr("segment.bytes")));
  EXPECT_THAT(store_->AlterTopic("orders", both("flush.ms", "6")),
              StatusIs(kInvalid, HasSubstr("flush.ms: set twice")));
  EXPECT_THAT(store_->AlterTopic("orders", {.set = {{"flush.ms", "5"}},
                                            .reset = {"flush.ms"}}),
              StatusIs(kInvalid, HasSubstr("flush.ms")));
  EXPECT_THAT(store_->AlterTopic("orders", {.set = {{"flush.ms", "5"}},
                                            .reset = {"flush.msec"}}),
              StatusIs(kInvalid, HasSubstr("\"flush.ms\"")));
  // Each is fine, but not both together.
  EXPECT_THAT(
      store_->AlterTopic("orders", {.set = {{"flush.ms", "5"},
                                            {"min.compaction.lag.ms", "9"},
                                            {"max.compaction.lag.ms", "8"}}}),
      StatusIs(kInvalid, HasSubstr("max.compaction.lag.ms, 8")));
  EXPECT_THAT(store_->AlterTopic("orders",
                                 {.set = {{"flush.ms", "5"}}, .partitions = 1}),
              StatusIs(kInvalid, HasSubstr("cannot have 1")));
  EXPECT_THAT(store_->AlterTopic("orders",
                                 {.set = {{"flush.ms", "x"}}, .partitions = 5}),
              StatusIs(kInvalid, HasSubstr("flush.ms")));
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(Config().log.NonDefault(), IsEmpty());
    EXPECT_EQ(Config().partitions, 2);
    Reopen();
  }
}

TEST_F(TopicAlterationTest, ConfigsAndPartitionsAreOneChange) {
  ASSERT_THAT(store_->AlterTopic("orders",
                                 {.set = {{"flush.ms", "5"}}, .partitions = 3}),
              IsOk());
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(Config().log.NonDefault(), ElementsAre(Pair("flush.ms", "5")));
    EXPECT_EQ(Config().partitions, 3);
    EXPECT_THAT(store_->partition("orders", 2), IsOk());
    Reopen();
  }
}

TEST_F(TopicAlterationTest, UnknownTopicIsNotFound) {
  EXPECT_THAT(store_->AlterTopic("order", {}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("orders")));
  EXPECT_THAT(store_->AddPartitions("order", 3),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("orders")));
}

TEST_F(TopicAlterationTest, OpenPartitionTakesNewLimitsAtOnce) {
  Partition first = Orders(0);
  ASSERT_THAT(first.Append({.value = "small"}), IsOk());
  ASSERT_THAT(Set("max.message.bytes", "100"), IsOk());
  const std::string large(100, 'x');
  EXPECT_THAT(first.Append({.value = large}),
              StatusIs(kInvalid, HasSubstr("max.message.bytes (100)")));
  // A partition that was not open takes it, too.
  EXPECT_THAT(Orders(1).Append({.value = large}), StatusIs(kInvalid));
  ASSERT_THAT(store_->AlterTopic("orders", {.reset = {"max.message.bytes"}}),
              IsOk());
  EXPECT_THAT(first.Append({.value = large}), IsOk());
}

TEST_F(TopicAlterationTest, OpenPartitionRollsByItsNewSegmentSize) {
  Partition partition = Orders();
  const auto append = [&] {
    ASSERT_THAT(
        partition.Append({.value = std::string(100, 'x')}, Durability::kMemory),
        IsOk());
  };
  append();
  append();
  EXPECT_EQ(partition.segment_count(), 1);
  ASSERT_THAT(Set("segment.bytes", "200"), IsOk());
  append();
  append();
  EXPECT_EQ(partition.segment_count(), 3);
  ASSERT_THAT(store_->AlterTopic("orders", {.reset = {"segment.bytes"}}),
              IsOk());
  append();  // the segment made for 200 bytes is full
  for (int i = 0; i < 50; ++i) append();
  EXPECT_EQ(partition.segment_count(), 4);
  Reopen();
  EXPECT_EQ(Orders().visible_end(), 55);
}

// It does not act only minutes later, at the next check: the clock stands
// still.
TEST_F(TopicAlterationTest, ShorterRetentionActsAtOnce) {
  ASSERT_THAT(store_->Close(), IsOk());
  StoreOptions options;
  options.environment.clock = &clock_;
  store_ = *LogStore::Open(path_, options);
  Partition partition = Orders();
  ASSERT_THAT(Set("segment.bytes", "200"), IsOk());
  for (int i = 0; i < 10; ++i) {
    ASSERT_THAT(partition.Append({.value = std::string(100, 'x')}), IsOk());
  }
  EXPECT_EQ(partition.log_start(), 0);
  ASSERT_THAT(Set("retention.bytes", "400"), IsOk());
  const Watchdog watchdog(absl::Minutes(1), "retention has not been looked at");
  while (partition.segment_count() > 4) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_GT(partition.log_start(), 0);
}

TEST_F(TopicAlterationTest, OpenPartitionStampsAsItIsTold) {
  Partition partition = Orders();
  const absl::Time long_ago = absl::FromUnixMillis(1000);
  auto kept = partition.Append({.value = "a", .timestamp = long_ago});
  ASSERT_THAT(kept, IsOk());
  EXPECT_EQ(kept->timestamp, long_ago);
  ASSERT_THAT(Set("message.timestamp.type", "LogAppendTime"), IsOk());
  auto stamped = partition.Append({.value = "b", .timestamp = long_ago});
  ASSERT_THAT(stamped, IsOk());
  EXPECT_GT(stamped->timestamp, long_ago);
}

TEST_F(TopicAlterationTest, AddedPartitionsAreThereAndEmpty) {
  ASSERT_THAT(Orders().Append({.value = "a"}), IsOk());
  ASSERT_THAT(store_->AddPartitions("orders", 4), IsOk());
  EXPECT_EQ(Config().partitions, 4);
  ASSERT_THAT(Orders(3).Append({.value = "b"}), IsOk());
  EXPECT_THAT(store_->partition("orders", 4),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("0 to 3")));
  const std::string expected = "orders\n  0: 0=a\n  1:\n  2:\n  3: 0=b\n";
  EXPECT_EQ(SnapshotOf(*store_), expected);
  Reopen();
  EXPECT_EQ(SnapshotOf(*store_), expected);
}

TEST_F(TopicAlterationTest, PartitionsAreNeitherTakenAwayNorTooMany) {
  EXPECT_THAT(store_->AddPartitions("orders", 1),
              StatusIs(kInvalid, HasSubstr("has 2 partitions")));
  EXPECT_THAT(store_->AddPartitions("orders", -5), StatusIs(kInvalid));
  EXPECT_THAT(
      store_->AddPartitions("orders", TopicConfig::kPartitionsMax + 1),
      StatusIs(kInvalid, HasSubstr(absl::StrCat(TopicConfig::kPartitionsMax))));
  EXPECT_THAT(store_->AddPartitions("orders", 2), IsOk());
  EXPECT_EQ(Config().partitions, 2);
}

TEST_F(TopicAlterationTest, InternalTopicsAreTheStoresOwn) {
  for (const char* name : {"__consumer_offsets", "__transaction_state"}) {
    EXPECT_THAT(store_->CreateTopic(name),
                StatusIs(kInvalid, HasSubstr("internal")));
    EXPECT_THAT(store_->AlterTopic(name, {}),
                StatusIs(kInvalid, HasSubstr("internal")));
    EXPECT_THAT(store_->AddPartitions(name, 3),
                StatusIs(kInvalid, HasSubstr("internal")));
  }
  EXPECT_THAT(store_->CreateTopic("__mine"), IsOk());
}

TEST_F(TopicAlterationTest, ClosedStoreRefuses) {
  ASSERT_THAT(store_->Close(), IsOk());
  constexpr auto kClosed = absl::StatusCode::kFailedPrecondition;
  EXPECT_THAT(Set("flush.ms", "5"), StatusIs(kClosed, HasSubstr("closed")));
  EXPECT_THAT(store_->AddPartitions("orders", 3),
              StatusIs(kClosed, HasSubstr("closed")));
}

// Appends continue while configs change and partitions are added; none is lost,
// and the last config holds.
TEST_F(TopicAlterationTest, ChangesAndAppendsGoOnSideBySide) {
  std::atomic<bool> stop = false;
  std::vector<std::thread> appenders;
  std::atomic<int64_t> appended = 0;
  for (int thread = 0; thread < 3; ++thread) {
    appenders.emplace_back([&, thread] {
      for (int64_t i = 0; !stop.load() || i < 20; ++i) {
        const int32_t count = Config().partitions;
        auto partition = store_->partition(
            "orders", static_cast<int32_t>((i + thread) % count));
        ASSERT_THAT(partition, IsOk());
        ASSERT_THAT(partition->Append({.value = "x"}, Durability::kMemory),
                    IsOk());
        ++appended;
      }
    });
  }
  for (int i = 0; i < 40; ++i) {
    EXPECT_THAT(Set("segment.bytes", absl::StrCat(200 + 100 * (i % 7))),
                IsOk());
    EXPECT_THAT(store_->AddPartitions("orders", 3 + i / 4), IsOk());
  }
  stop = true;
  for (std::thread& thread : appenders) thread.join();
  ASSERT_THAT(Set("max.message.bytes", "90"), IsOk());
  int64_t found = 0;
  for (int32_t i = 0; i < Config().partitions; ++i) {
    found += Orders(i).visible_end();
    EXPECT_THAT(Orders(i).Append({.value = std::string(100, 'x')}),
                StatusIs(kInvalid));
  }
  EXPECT_EQ(found, appended.load());
}

}  // namespace
}  // namespace varve
