// SPDX-License-Identifier: Apache-2.0

// store_size_max_bytes: the oldest segments of all topics go, as far as they
// may.

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/memory_directory.h"
#include "tests/fixture/partition_fixture.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/store_metrics.h"
#include "varve/api/store_options.h"
#include "varve/api/topic_config.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/system/log_sink.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr absl::Duration kDay = absl::Hours(24);

// Segments of one record of 1000 bytes, and so a size in records.
class StoreSizeTest : public testing::Test {
 protected:
  static constexpr int64_t kRecordBytes = 1000;
  // A batch of one record with a key of 4 bytes has 74 bytes more.
  static constexpr int64_t kValueBytes = kRecordBytes - 74;

  // Real files have real times, so the clock starts there.
  StoreSizeTest() { clock_.Advance(absl::Now() - clock_.Now()); }
  void TearDown() override { store_ = nullptr; }

  void Open(int64_t records_max) {
    records_max_ = records_max;
    auto opened = LogStore::Open(
        path_,
        {.background = Background::kNone,
         .store_size_max_bytes =
             records_max < 0 ? -1 : records_max * kRecordBytes,
         .log_sink =
             [this](const LogMessage& message) {
               if (absl::StrContains(message.text, "store_size_max_bytes"))
                 told_.push_back(std::string(message.text));
             },
         .environment = {.files = &files_, .clock = &clock_}});
    ASSERT_THAT(opened, IsOk());
    store_ = *std::move(opened);
  }
  void Reopen() {
    ASSERT_THAT(store_->Close(), IsOk());
    Open(records_max_);
  }
  void CreateTopic(const std::string& name,
                   CleanupPolicy policy = CleanupPolicy::kDelete,
                   int32_t partitions = 1) {
    TopicConfig config;
    config.partitions = partitions;
    config.log.segment_bytes = kRecordBytes;
    config.log.cleanup_policy = policy;
    ASSERT_THAT(store_->CreateTopic(name, config), IsOk());
  }
  Partition Log(const std::string& topic, int32_t index = 0) {
    return *store_->partition(topic, index);
  }
  // One record of that age, whose batch has kRecordBytes.
  void Append(const std::string& topic, int64_t age_days,
              Durability durability = Durability::kSynced, int32_t index = 0) {
    // Compaction, where there is any, keeps each of them.
    const std::string key = absl::StrCat(1000 + keys_++);
    const std::string value(kValueBytes, 'r');
    auto appended = Log(topic, index)
                        .Append({.key = key,
                                 .value = value,
                                 .timestamp = clock_.Now() - age_days * kDay},
                                durability);
    ASSERT_THAT(appended, IsOk());
  }
  void AppendAll(const std::string& topic, const std::vector<int64_t>& ages) {
    for (const int64_t age_days : ages) Append(topic, age_days);
  }
  void Maintain() {
    clock_.Advance(absl::Minutes(5));
    ASSERT_THAT(store_->RunMaintenance(), IsOk());
  }
  std::vector<int64_t> LogStarts(const std::vector<std::string>& topics) {
    std::vector<int64_t> starts;
    for (const std::string& topic : topics)
      starts.push_back(Log(topic).log_start());
    return starts;
  }
  int64_t LogFiles(const std::string& topic) const {
    int64_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(
             absl::StrCat(path_, "/", topic, "-0"))) {
      if (entry.path().extension() == ".log") ++count;
    }
    return count;
  }
  DiskMetrics Disk() { return store_->Metrics().disk; }

  MemoryDirectory scratch_;
  const std::string path_ = scratch_.path() + "/store";
  FaultyFileSystem files_;
  ManualClock clock_;
  int64_t records_max_ = 0;
  int keys_ = 0;
  std::vector<std::string> told_;
  std::unique_ptr<LogStore> store_;
};

TEST_F(StoreSizeTest, RecordHasTheSizeThatTheseTestsCountIn) {
  Open(1000);
  CreateTopic("a");
  Append("a", 1);
  Append("a", 1);
  const auto stats = Log("a").Stats();
  ASSERT_THAT(stats, IsOk());
  EXPECT_EQ(stats->batch_bytes, 2 * kRecordBytes);
  EXPECT_EQ(stats->segments, 2);
}

TEST_F(StoreSizeTest, OldestSegmentsOfAllTopicsGo) {
  Open(-1);
  for (const std::string topic : {"a", "b", "c"}) CreateTopic(topic);
  AppendAll("a", {50, 40, 10, 1});
  AppendAll("b", {45, 44, 43, 1});
  AppendAll("c", {30, 20, 1});
  const auto starts_at = [&](int64_t records_max) {
    EXPECT_THAT(store_->Close(), IsOk());
    Open(records_max);
    Maintain();
    return LogStarts({"a", "b", "c"});
  };
  EXPECT_THAT(starts_at(11), ElementsAre(0, 0, 0));
  EXPECT_THAT(starts_at(10), ElementsAre(1, 0, 0));
  EXPECT_THAT(starts_at(7), ElementsAre(1, 3, 0));
  EXPECT_EQ(LogFiles("b"), 1);
  EXPECT_THAT(starts_at(4), ElementsAre(2, 3, 2));
  EXPECT_EQ(Disk().store_size_bytes, 4 * kRecordBytes);
  EXPECT_EQ(Disk().store_size_max_bytes, 4 * kRecordBytes);
  EXPECT_EQ(Disk().size_deleted_segments, 3);
  EXPECT_EQ(Disk().size_deleted_bytes, 3 * kRecordBytes);
  EXPECT_THAT(told_, IsEmpty());
  EXPECT_THAT(starts_at(0), ElementsAre(3, 3, 2)) << "the last ones stay";
  EXPECT_THAT(told_, ElementsAre(HasSubstr("no other segment may be deleted")));
  Maintain();
  EXPECT_EQ(told_.size(), 1) << "said once";
}

TEST_F(StoreSizeTest, LogStartsHoldAfterAReopenAndACrash) {
  Open(4);
  CreateTopic("a");
  AppendAll("a", {9, 8, 7, 6, 5, 4, 3});
  Maintain();
  EXPECT_THAT(LogStarts({"a"}), ElementsAre(3));
  const std::string copy = scratch_.path() + "/copy";
  std::filesystem::copy(path_, copy, std::filesystem::copy_options::recursive);
  Reopen();
  EXPECT_TRUE(store_->recovery_report().clean);
  EXPECT_THAT(LogStarts({"a"}), ElementsAre(3));
  auto copied = LogStore::Open(copy, {.background = Background::kNone});
  ASSERT_THAT(copied, IsOk());
  EXPECT_FALSE((*copied)->recovery_report().has_damage());
  EXPECT_EQ((*copied)->partition("a", 0)->log_start(), 3);
}

TEST_F(StoreSizeTest, CompactedTopicsAndCommittedOffsetsStay) {
  Open(-1);
  CreateTopic("compacted", CleanupPolicy::kCompact);
  CreateTopic("both", CleanupPolicy::kCompactAndDelete);
  CreateTopic("a");
  AppendAll("compacted", {90, 89, 88});
  AppendAll("both", {80, 79, 78});
  AppendAll("a", {3, 2, 1});
  ASSERT_THAT(store_->CommitOffset("billing", "a", 0, 1), IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  Open(0);
  Maintain();
  EXPECT_THAT(LogStarts({"compacted", "both", "a"}), ElementsAre(0, 2, 2));
  EXPECT_EQ(LogFiles("compacted"), 3);
  EXPECT_EQ(Log("__consumer_offsets").log_start(), 0);
  const auto committed = store_->CommittedOffset("billing", "a", 0);
  ASSERT_THAT(committed, IsOk());
  EXPECT_GT(Disk().store_size_bytes, 5 * kRecordBytes) << "they count";
}

TEST_F(StoreSizeTest, PartitionsThatAreNotOpenAreOpenedOnlyToDelete) {
  Open(-1);
  for (const std::string topic : {"old", "young"}) CreateTopic(topic);
  AppendAll("old", {9, 8, 7});
  AppendAll("young", {3, 2, 1});
  ASSERT_THAT(store_->Close(), IsOk());
  Open(5);
  Maintain();
  EXPECT_EQ(store_->Metrics().open_partitions, 1);
  EXPECT_THAT(LogStarts({"old", "young"}), ElementsAre(1, 0));
}

// Its last entry names a batch of the segment, but not the latest one.
TEST_F(StoreSizeTest, IndexThatSaysTooEarlyATimeIsNotBelieved) {
  Open(-1);
  TopicConfig pairs;
  pairs.log.segment_bytes = 2 * kRecordBytes;
  pairs.log.segment_ms = LogConfig::kForever;
  ASSERT_THAT(store_->CreateTopic("pairs", pairs), IsOk());
  CreateTopic("a");
  AppendAll("pairs", {99, 1, 1, 1});
  AppendAll("a", {50, 2});
  ASSERT_THAT(store_->Close(), IsOk());
  const std::string segment = path_ + "/pairs-0/";
  std::filesystem::remove(segment + "sealed-00000000000000000000");
  std::string entry(12, '\0');
  StoreBig64(entry.data(), absl::ToUnixMillis(clock_.Now() - 99 * kDay));
  WriteBytes(segment + "00000000000000000000.timeindex", entry);
  Open(5);
  Maintain();
  EXPECT_THAT(LogStarts({"pairs", "a"}), ElementsAre(0, 1));
}

TEST_F(StoreSizeTest, PassIsMadeAfterTheOpenAndNotAgainWithoutReason) {
  Open(-1);
  CreateTopic("a");
  AppendAll("a", {9, 8, 7});
  ASSERT_THAT(store_->Close(), IsOk());
  Open(2);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_THAT(LogStarts({"a"}), ElementsAre(1));
  files_.ForgetCalls();
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  for (const std::string& call : files_.calls())
    EXPECT_FALSE(absl::StrContains(call, "/a-0")) << call;
}

TEST_F(StoreSizeTest, CloseMakesThePassThatIsDue) {
  Open(1);
  CreateTopic("a");
  Append("a", 9);
  Append("a", 8);
  EXPECT_EQ(LogFiles("a"), 2) << "one too many is left to the background";
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_EQ(LogFiles("a"), 1);
}

TEST_F(StoreSizeTest, SegmentThatBeginsCallsTheBackground) {
  Open(4);
  CreateTopic("a");
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  for (int i = 0; i < 30; ++i) {
    Append("a", 100 - i);
    ASSERT_THAT(store_->RunMaintenance(), IsOk());
    ASSERT_LE(LogFiles("a"), 5) << i;
  }
  EXPECT_EQ(Log("a").log_start(), 26);
}

TEST_F(StoreSizeTest, AppendsDeleteThemselvesWhatIsTwoSegmentsTooMuch) {
  Open(4);
  CreateTopic("a");
  CreateTopic("b");
  for (int i = 0; i < 30; ++i) {
    Append("a", 100 - i);
    Append("b", 100 - i);
    ASSERT_LE(LogFiles("a") + LogFiles("b"), 4 + 2 + 2) << i;
  }
  EXPECT_GT(Log("a").log_start(), 24);
  EXPECT_GT(Log("b").log_start(), 24);
}

TEST_F(StoreSizeTest, AppendsToACompactedTopicDoNotWait) {
  Open(2);
  CreateTopic("compacted", CleanupPolicy::kCompact);
  CreateTopic("a");
  AppendAll("a", {9, 8});
  for (int i = 0; i < 10; ++i) Append("compacted", 1);
  EXPECT_THAT(LogStarts({"a"}), ElementsAre(0));
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_THAT(LogStarts({"a"}), ElementsAre(1));
}

TEST_F(StoreSizeTest, WhatIsNotDurableStays) {
  Open(1);
  CreateTopic("a");
  for (int i = 0; i < 6; ++i) Append("a", 9 - i, Durability::kMemory);
  EXPECT_LE(Log("a").log_start(), Log("a").durable_end());
  EXPECT_EQ(Log("a").visible_end(), 6);
  ASSERT_THAT(Log("a").Sync(), IsOk());
  Maintain();
  EXPECT_THAT(LogStarts({"a"}), ElementsAre(5));
}

TEST_F(StoreSizeTest, ViewsKeepWhatTheyShow) {
  Open(2);
  CreateTopic("a");
  Append("a", 9);
  auto view = Log("a").Read(0);
  ASSERT_THAT(view, IsOk());
  AppendAll("a", {8, 7, 6, 5});
  Maintain();
  EXPECT_THAT(LogStarts({"a"}), ElementsAre(3));
  EXPECT_EQ(LogFiles("a"), 2);
  RecordBatches::Records records = view->records();
  const RecordView* record = records.Next();
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->offset(), 0);
  EXPECT_EQ(record->value()->size(), size_t{kValueBytes});
}

TEST_F(StoreSizeTest, NoFileGoesWithoutItsCheckpoint) {
  Open(2);
  CreateTopic("a");
  files_.FailCallsNamed("Directory::Rename " + path_ + "/varve.checkpoint", EIO,
                        FaultyFileSystem::Repeat::kForever);
  AppendAll("a", {9, 8, 7, 6, 5});
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_EQ(LogFiles("a"), 5);
  files_.StopFailing();
  Maintain();
  EXPECT_EQ(LogFiles("a"), 2);
}

TEST_F(StoreSizeTest, PartitionThatCannotBeReadDoesNotKeepTheOthers) {
  Open(-1);
  for (const std::string topic : {"bad", "good"}) CreateTopic(topic);
  AppendAll("bad", {99, 98, 97});
  AppendAll("good", {9, 8, 7});
  ASSERT_THAT(store_->Close(), IsOk());
  files_.FailCallsNamed("Directory::List " + path_ + "/bad-0", EIO,
                        FaultyFileSystem::Repeat::kForever);
  Open(2);
  Maintain();
  EXPECT_THAT(told_, Contains(HasSubstr("bad-0: store_size_max_bytes")));
  EXPECT_EQ(Log("good").log_start(), 1);
  EXPECT_EQ(LogFiles("bad"), 3);
  files_.StopFailing();
  Maintain();
  EXPECT_THAT(LogStarts({"bad", "good"}), ElementsAre(2, 2));
}

TEST_F(StoreSizeTest, DeletedTopicDoesNotCount) {
  Open(6);
  CreateTopic("a");
  CreateTopic("gone");
  AppendAll("a", {9, 8, 7});
  AppendAll("gone", {3, 2, 1});
  Maintain();
  EXPECT_EQ(Disk().store_size_bytes, 6 * kRecordBytes);
  ASSERT_THAT(store_->DeleteTopic("gone"), IsOk());
  AppendAll("a", {6, 5, 4});
  Maintain();
  EXPECT_THAT(LogStarts({"a"}), ElementsAre(0));
  EXPECT_EQ(Disk().store_size_bytes, 6 * kRecordBytes);
}

TEST_F(StoreSizeTest, RetentionOfATopicGoesFirst) {
  Open(3);
  Maintain();
  TopicConfig config;
  config.log.segment_bytes = kRecordBytes;
  config.log.retention_ms = absl::ToInt64Milliseconds(kDay);
  ASSERT_THAT(store_->CreateTopic("short", config), IsOk());
  CreateTopic("long");
  AppendAll("long", {50});
  AppendAll("short", {4, 3});
  Append("long", 40);
  Maintain();
  EXPECT_THAT(LogStarts({"short", "long"}), ElementsAre(2, 0));
  EXPECT_EQ(Disk().size_deleted_segments, 0);
}

}  // namespace
}  // namespace varve
