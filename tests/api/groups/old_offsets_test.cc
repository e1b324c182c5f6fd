// SPDX-License-Identifier: Apache-2.0

// Stores whose committed offsets do not say which topic they are of, as none
// did before version 4 of their value: they open, with their offsets.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/old_offset_store.h"
#include "tests/fixture/scratch_directory.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"
#include "varve/api/offsets/group_id.h"
#include "varve/log/metadata/checksummed_text.h"
#include "varve/log/metadata/offset_commit_record.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kNotFound = absl::StatusCode::kNotFound;
// The time of the old commits: in 2023.
constexpr int64_t kThenMs = 1700000000020;

class OldOffsetsTest : public testing::Test {
 protected:
  void SetUp() override {
    WriteOldStore(path_, /*records=*/10, /*offset=*/7, kThenMs);
  }

  void Open() {
    store_ = nullptr;
    auto opened = LogStore::Open(path_, {.background = Background::kNone});
    ASSERT_THAT(opened, IsOk());
    store_ = *std::move(opened);
  }

  void NewTopic() {
    ASSERT_THAT(store_->CreateTopic("orders"), IsOk());
    auto orders = store_->partition("orders", 0);
    ASSERT_THAT(orders, IsOk());
    for (int i = 0; i < 10; ++i)
      ASSERT_THAT(orders->Append({.value = "new"}), IsOk());
  }

  int64_t Committed(const std::string& group = "g") {
    auto found = store_->CommittedOffset(group, "orders", 0);
    if (absl::IsNotFound(found.status())) return -1;
    EXPECT_THAT(found, IsOk());
    return found.ok() ? found->offset : -2;
  }

  // The value that was written last for "g".
  std::optional<std::string> LastValue() {
    auto log = store_->partition("__consumer_offsets",
                                 PartitionForGroup("g", kOldOffsetsPartitions));
    EXPECT_THAT(log, IsOk());
    auto records = ReadAll(*log);
    EXPECT_THAT(records, IsOk());
    return records->back().second.value;
  }

  // Makes the store as a kill between the two halves of a deletion left it.
  void DropTopicFromCatalog() {
    const std::string catalog = path_ + "/varve.topics";
    auto lines = ParseChecksummedText("varve.topics", ReadBytes(catalog));
    ASSERT_THAT(lines, IsOk());
    for (std::string& line : *lines) {
      const size_t size = std::string_view("topic").size();
      if (line.starts_with("topic orders ")) line.replace(0, size, "deleted");
    }
    WriteBytes(catalog, FormatChecksummedText("varve.topics", *lines));
  }

  ScratchDirectory scratch_;
  const std::string path_ = scratch_ / "store";
  std::unique_ptr<LogStore> store_;
};

TEST_F(OldOffsetsTest, OffsetCountsForTheTopicOfTheNameAndIsWrittenAnew) {
  Open();
  ASSERT_FALSE(store_->DescribeTopic("orders")->id.created_ms().has_value());
  EXPECT_EQ(Committed(), 7);
  auto found = store_->CommittedOffset("g", "orders", 0);
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(absl::ToUnixMillis(found->commit_time), kThenMs);
  EXPECT_THAT(store_->ListGroups(), IsOkAndHolds(ElementsAre("g")));
  const auto value = LastValue();
  ASSERT_TRUE(value.has_value());
  auto written = ParseOffsetCommitValue(*value);
  ASSERT_THAT(written, IsOk());
  EXPECT_EQ(written->offset, 7);
  EXPECT_EQ(written->topic_id, store_->DescribeTopic("orders")->id);
  EXPECT_EQ(written->commit_timestamp_ms, kThenMs);
  ASSERT_THAT(store_->Close(), IsOk());
  Open();
  EXPECT_EQ(Committed(), 7);
  EXPECT_THAT(store_->recovery_report().notes, IsEmpty());
  // It is written again only once.
  EXPECT_EQ(LastValue(), value);
}

// A later version would make one partition: what is there stays as it is.
TEST_F(OldOffsetsTest, FiftyPartitionsStayAndGroupsAreFoundInThem) {
  Open();
  ASSERT_EQ(StoreOptions().offsets_topic_num_partitions, 1);
  EXPECT_EQ(Committed(), 7);
  ASSERT_THAT(store_->CommitOffset("g", "orders", 0, 8), IsOk());
  ASSERT_THAT(store_->CommitOffset("test", "orders", 0, 9), IsOk());
  EXPECT_EQ(store_->DescribeTopic("__consumer_offsets")->config.partitions,
            kOldOffsetsPartitions);
  // Java's hash of "test", modulo 50.
  auto log = store_->partition("__consumer_offsets", 48);
  ASSERT_THAT(log, IsOk());
  EXPECT_EQ(log->visible_end(), 1);
  ASSERT_THAT(store_->Close(), IsOk());
  for (int32_t i = 0; i < kOldOffsetsPartitions; ++i) {
    EXPECT_TRUE(std::filesystem::is_directory(
        absl::StrCat(path_, "/__consumer_offsets-", i)));
  }
  Open();
  EXPECT_EQ(Committed(), 8);
  EXPECT_EQ(Committed("test"), 9);
  EXPECT_THAT(store_->ListGroups(), IsOkAndHolds(ElementsAre("g", "test")));
  auto reader = LogStore::OpenReadOnly(path_);
  ASSERT_THAT(reader, IsOk());
  EXPECT_THAT((*reader)->ListGroups(), IsOkAndHolds(ElementsAre("g", "test")));
  EXPECT_EQ((*reader)->CommittedOffset("test", "orders", 0)->offset, 9);
}

// Nothing is written: the id that the writer would add is worked out.
TEST_F(OldOffsetsTest, ReaderFindsAnOffsetWithoutAnIdAndLeavesItAsItIs) {
  auto reader = LogStore::OpenReadOnly(path_);
  ASSERT_THAT(reader, IsOk());
  EXPECT_EQ((*reader)->CommittedOffset("g", "orders", 0)->offset, 7);
  auto described = (*reader)->DescribeGroup("g");
  ASSERT_THAT(described, IsOk());
  EXPECT_EQ(described->front().lag(), 3);
  Open();
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  NewTopic();
  ASSERT_THAT(store_->Close(), IsOk());
  CommitAsVersion3(path_, "g", "orders", 7, kThenMs);
  // It is older than the topic.
  EXPECT_THAT((*reader)->CommittedOffset("g", "orders", 0),
              StatusIs(kNotFound));
  EXPECT_THAT((*reader)->ListGroups(), IsOkAndHolds(IsEmpty()));
}

TEST_F(OldOffsetsTest, OffsetGoesWithItsTopic) {
  Open();
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  EXPECT_EQ(LastValue(), std::nullopt);
  NewTopic();
  EXPECT_EQ(Committed(), -1);
  ASSERT_THAT(store_->Close(), IsOk());
  Open();
  EXPECT_EQ(Committed(), -1);
}

TEST_F(OldOffsetsTest, OffsetThatADeletionLeftIsNotTheNewTopics) {
  DropTopicFromCatalog();
  Open();
  EXPECT_THAT(store_->DescribeGroup("g"), StatusIs(kNotFound));
  NewTopic();
  EXPECT_EQ(Committed(), -1);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_THAT(store_->UnfinishedDeletions(), IsEmpty());
  EXPECT_EQ(LastValue(), std::nullopt);
  ASSERT_THAT(store_->CommitOffset("g", "orders", 0, 2), IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  Open();
  EXPECT_EQ(Committed(), 2);
  EXPECT_THAT(store_->recovery_report().notes, IsEmpty());
}

// The name alone does not say it: the topic's age does.
TEST_F(OldOffsetsTest, OffsetOlderThanTheTopicDoesNotCountAndIsTold) {
  Open();
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  NewTopic();
  ASSERT_THAT(store_->Close(), IsOk());
  CommitAsVersion3(path_, "g", "orders", 7, kThenMs);
  Open();
  EXPECT_EQ(Committed(), -1);
  EXPECT_THAT(
      store_->recovery_report().notes,
      ElementsAre(AllOf(HasSubstr("group \"g\", orders, partition 0"),
                        HasSubstr("another topic"), HasSubstr("older"))));
  EXPECT_THAT(store_->ListGroups(), IsOkAndHolds(IsEmpty()));
  ASSERT_THAT(store_->CommitOffset("g", "orders", 0, 2), IsOk());
  EXPECT_EQ(Committed(), 2);
}

// An earlier varve, or Kafka 4.0, committed to the store again.
TEST_F(OldOffsetsTest, OffsetYoungerThanTheTopicCounts) {
  Open();
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  NewTopic();
  ASSERT_THAT(store_->Close(), IsOk());
  CommitAsVersion3(path_, "g", "orders", 7, absl::ToUnixMillis(absl::Now()));
  Open();
  EXPECT_EQ(Committed(), 7);
  EXPECT_THAT(store_->recovery_report().notes, IsEmpty());
}

TEST_F(OldOffsetsTest, OffsetsOfAnUncleanStoreAreCheckedAsEver) {
  CommitAsVersion3(path_, "g", "orders", 12, kThenMs);  // of 10 records
  std::filesystem::remove(path_ + "/.kafka_cleanshutdown");
  Open();
  EXPECT_EQ(Committed(), 10);
  EXPECT_THAT(store_->recovery_report().notes,
              ElementsAre(HasSubstr("offset 12 was committed")));
}

}  // namespace
}  // namespace varve
