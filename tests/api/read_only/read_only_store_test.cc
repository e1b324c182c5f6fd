// SPDX-License-Identifier: Apache-2.0

// Stores that are open to read only, beside a writer and without one.

#include "varve/api/read_only_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/process_footprint.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/api/log_store.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_view.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ReadOnlyStoreTest : public testing::Test {
 protected:
  void OpenWriter() {
    auto store = LogStore::Open(path_);
    ASSERT_THAT(store, IsOk());
    writer_ = *std::move(store);
  }
  void CloseWriter() {
    ASSERT_THAT(writer_->Close(), IsOk());
    writer_ = nullptr;
  }
  void CreateTopic(const std::string& name, int32_t partitions = 1) {
    TopicConfig config = {.partitions = partitions};
    config.log.segment_bytes = 500;
    ASSERT_THAT(writer_->CreateTopic(name, config), IsOk());
  }
  void Append(const std::string& topic, const std::string& value,
              int64_t timestamp_ms = 1'700'000'000'000) {
    auto partition = writer_->partition(topic, 0);
    ASSERT_THAT(partition, IsOk());
    ASSERT_THAT(
        partition->Append(
            {.value = value, .timestamp = absl::FromUnixMillis(timestamp_ms)},
            Durability::kMemory),
        IsOk());
  }
  void OpenReader() {
    auto store = LogStore::OpenReadOnly(path_);
    ASSERT_THAT(store, IsOk());
    reader_ = *std::move(store);
  }
  ReadOnlyPartition PartitionOf(const std::string& topic) {
    auto partition = reader_->partition(topic, 0);
    CHECK_OK(partition.status());
    return *std::move(partition);
  }
  static std::vector<std::string> ValuesIn(const ReadOnlyPartition& partition,
                                           int64_t offset = 0) {
    std::vector<std::string> values;
    while (true) {
      const auto view = partition.Read(offset);
      EXPECT_THAT(view, IsOk());
      if (!view.ok() || view->empty()) return values;
      RecordBatches::Records records = view->records();
      while (const RecordView* record = records.Next()) {
        values.emplace_back(record->value().value_or(""));
      }
      offset = view->next_offset();
    }
  }
  // Every file with its bytes and its times.
  auto Snapshot() const {
    std::map<std::string, std::tuple<std::string, int64_t, int64_t>> files;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(path_)) {
      struct stat status;
      CHECK_EQ(lstat(entry.path().c_str(), &status), 0);
      files[entry.path()] = {
          entry.is_directory() ? "" : ReadBytes(entry.path()),
          absl::ToUnixNanos(absl::TimeFromTimespec(status.st_mtim)),
          absl::ToUnixNanos(absl::TimeFromTimespec(status.st_ctim))};
    }
    return files;
  }

  ScratchDirectory scratch_;
  const std::string path_ = scratch_ / "store";
  std::unique_ptr<LogStore> writer_;
  std::unique_ptr<ReadOnlyStore> reader_;
};

TEST_F(ReadOnlyStoreTest, WithoutAStoreIsNotFound) {
  EXPECT_THAT(
      LogStore::OpenReadOnly(path_),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("there is no store")));
  std::filesystem::create_directory(path_);
  EXPECT_THAT(LogStore::OpenReadOnly(path_),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(NamesIn(path_), IsEmpty());
  WriteBytes(path_ + "/photo.jpg", "");
  EXPECT_THAT(
      LogStore::OpenReadOnly(path_),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("photo.jpg")));
}

TEST_F(ReadOnlyStoreTest, DamagedCatalogIsDataLoss) {
  OpenWriter();
  CloseWriter();
  WriteBytes(path_ + "/varve.topics", "varve.topics 1\ncrc32c 00000000\n");
  EXPECT_THAT(LogStore::OpenReadOnly(path_),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("varve.topics")));
}

TEST_F(ReadOnlyStoreTest, ReadsBesideAWriterAndWithoutOne) {
  OpenWriter();
  CreateTopic("t");
  Append("t", "a");
  OpenReader();
  const ReadOnlyPartition partition = PartitionOf("t");
  EXPECT_THAT(ValuesIn(partition), ElementsAre("a"));
  Append("t", "b");
  EXPECT_THAT(partition.WaitFor(1), IsOk());
  EXPECT_THAT(ValuesIn(partition, 1), ElementsAre("b"));
  EXPECT_THAT(partition.visible_end(), IsOkAndHolds(2));
  CloseWriter();
  EXPECT_THAT(ValuesIn(partition), ElementsAre("a", "b"));
  OpenWriter();
  Append("t", "c");
  EXPECT_THAT(ValuesIn(partition, 2), ElementsAre("c"));
  EXPECT_EQ(partition.topic(), "t");
  EXPECT_EQ(reader_->path(), path_);
}

TEST_F(ReadOnlyStoreTest, TopicsShowAsTheyAreCreated) {
  OpenWriter();
  OpenReader();
  EXPECT_THAT(reader_->ListTopics(), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(reader_->partition("late", 0),
              StatusIs(absl::StatusCode::kNotFound));
  CreateTopic("late", 3);
  const auto topic = reader_->DescribeTopic("late");
  ASSERT_THAT(topic, IsOk());
  EXPECT_EQ(topic->config.partitions, 3);
  EXPECT_EQ(topic->id, writer_->DescribeTopic("late")->id);
  EXPECT_THAT(reader_->partition("late", 3),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("0 to 2")));
  EXPECT_THAT(reader_->partition("late", -1),
              StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT(ValuesIn(*reader_->partition("late", 2)), IsEmpty());
}

TEST_F(ReadOnlyStoreTest, DeletedTopicIsNotFoundAndItsHandleSaysSo) {
  OpenWriter();
  CreateTopic("t");
  Append("t", "a");
  CloseWriter();
  OpenReader();
  const ReadOnlyPartition partition = PartitionOf("t");
  EXPECT_THAT(ValuesIn(partition), ElementsAre("a"));
  // A store without the topic leaves the directory like this.
  const std::string other = scratch_ / "other";
  ASSERT_THAT((*LogStore::Open(other))->Close(), IsOk());
  std::filesystem::rename(other + "/varve.topics", path_ + "/varve.topics");
  EXPECT_THAT(reader_->partition("t", 0),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(partition.WaitFor(1),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("was deleted")));
  EXPECT_THAT(partition.Bounds(), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(ReadOnlyStoreTest, MissingDirectoryIsDataLoss) {
  OpenWriter();
  CreateTopic("t");
  CloseWriter();
  std::filesystem::remove_all(path_ + "/t-0");
  OpenReader();
  EXPECT_THAT(reader_->partition("t", 0),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("is gone")));
}

TEST_F(ReadOnlyStoreTest, TrimShowsInTheBounds) {
  OpenWriter();
  CreateTopic("t");
  for (int i = 0; i < 40; ++i) Append("t", absl::StrCat("v", i));
  OpenReader();
  const ReadOnlyPartition partition = PartitionOf("t");
  EXPECT_THAT(partition.log_start(), IsOkAndHolds(0));
  ASSERT_THAT(writer_->partition("t", 0)->Sync(), IsOk());
  ASSERT_THAT(writer_->partition("t", 0)->TrimBefore(33), IsOk());
  absl::StatusOr<LogBounds> bounds = partition.Bounds();
  for (int i = 0; i < 1000 && bounds.ok() && bounds->log_start != 33; ++i) {
    absl::SleepFor(absl::Milliseconds(10));
    bounds = partition.Bounds();
  }
  ASSERT_THAT(bounds, IsOk());
  EXPECT_EQ(bounds->log_start, 33);
  EXPECT_EQ(bounds->recovery_point, 40);
  EXPECT_EQ(bounds->visible_end, 40);
  EXPECT_THAT(partition.Read(32), StatusIs(absl::StatusCode::kOutOfRange,
                                           HasSubstr("starts at 33")));
  EXPECT_EQ(ValuesIn(partition, 33).front(), "v33");
}

TEST_F(ReadOnlyStoreTest, DurableReadsEndAtTheCheckpoint) {
  OpenWriter();
  CreateTopic("t");
  for (int i = 0; i < 10; ++i) Append("t", absl::StrCat("v", i));
  CloseWriter();
  OpenWriter();
  Append("t", "weak");
  OpenReader();
  const ReadOnlyPartition partition = PartitionOf("t");
  EXPECT_EQ(ValuesIn(partition).size(), 11);
  int64_t next = 0;
  const ReadOptions durable = {.level = ReadLevel::kDurable};
  for (int i = 0; i < 20; ++i) {
    const auto view = partition.Read(next, durable);
    ASSERT_THAT(view, IsOk());
    next = view->next_offset();
  }
  EXPECT_EQ(next, 10);
  EXPECT_TRUE(partition.Read(11, durable)->empty()) << "visible, not durable";
  EXPECT_THAT(partition.Read(12, durable),
              StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT(partition.WaitFor(10, absl::Now(), ReadLevel::kDurable),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  ASSERT_THAT(writer_->partition("t", 0)->Sync(), IsOk());
  EXPECT_THAT(
      partition.WaitFor(10, absl::InfiniteFuture(), ReadLevel::kDurable),
      IsOk());
  EXPECT_FALSE(partition.Read(10, durable)->empty());
}

TEST_F(ReadOnlyStoreTest, TimesAreFoundInEverySegment) {
  OpenWriter();
  CreateTopic("t");
  constexpr int64_t kStart = 1'700'000'000'000;
  for (int64_t i = 0; i < 60; ++i) Append("t", "v", kStart + 10 * i);
  OpenReader();
  const ReadOnlyPartition partition = PartitionOf("t");
  const Partition oracle = *writer_->partition("t", 0);
  EXPECT_GT(oracle.segment_count(), 5);
  for (int64_t t = kStart - 15; t < kStart + 620; t += 5) {
    const absl::Time time = absl::FromUnixMillis(t);
    EXPECT_THAT(partition.OffsetForTime(time),
                IsOkAndHolds(*oracle.OffsetForTime(time)))
        << t - kStart;
  }
  EXPECT_THAT(partition.OffsetForTime(absl::InfinitePast()), IsOkAndHolds(0));
  EXPECT_THAT(partition.OffsetForTime(absl::InfiniteFuture()),
              IsOkAndHolds(60));
  // Between two milliseconds.
  EXPECT_THAT(partition.OffsetForTime(absl::FromUnixMillis(kStart) +
                                      absl::Microseconds(1)),
              IsOkAndHolds(1));
}

TEST_F(ReadOnlyStoreTest, ReadingChangesNothingOnDisk) {
  OpenWriter();
  CreateTopic("t", 2);
  for (int i = 0; i < 40; ++i) Append("t", absl::StrCat("v", i));
  // With the writer's lock held, its files as they stand between two appends.
  ASSERT_THAT(writer_->partition("t", 0)->Sync(), IsOk());
  absl::SleepFor(absl::Milliseconds(1500));
  const auto before = Snapshot();
  OpenReader();
  EXPECT_EQ(ValuesIn(PartitionOf("t")).size(), 40);
  EXPECT_THAT(PartitionOf("t").Bounds(), IsOk());
  EXPECT_THAT(PartitionOf("t").OffsetForTime(absl::Now()), IsOk());
  EXPECT_THAT(reader_->ListTopics(), IsOk());
  EXPECT_THAT(ValuesIn(*reader_->partition("t", 1)), IsEmpty());
  EXPECT_EQ(Snapshot(), before);
}

TEST_F(ReadOnlyStoreTest, ReadsFromADirectoryThatCannotBeWritten) {
  OpenWriter();
  CreateTopic("t");
  for (int i = 0; i < 40; ++i) Append("t", absl::StrCat("v", i));
  CloseWriter();
  std::vector<std::filesystem::path> all = {path_};
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(path_)) {
    all.push_back(entry.path());
  }
  using std::filesystem::perm_options;
  using std::filesystem::perms;
  const perms write = perms::owner_write;
  for (const auto& path : all) permissions(path, write, perm_options::remove);
  OpenReader();
  EXPECT_EQ(ValuesIn(PartitionOf("t")).size(), 40);
  for (const auto& path : all) permissions(path, write, perm_options::add);
}

TEST_F(ReadOnlyStoreTest, PartitionsOutliveTheStore) {
  OpenWriter();
  CreateTopic("t");
  Append("t", "a");
  OpenReader();
  const ReadOnlyPartition partition = PartitionOf("t");
  reader_ = nullptr;
  EXPECT_THAT(ValuesIn(partition), ElementsAre("a"));
}

TEST_F(ReadOnlyStoreTest, MorePartitionsThanDescriptorsAreReadInTurns) {
  constexpr int32_t kPartitions = 60;
  const DescriptorLimit limit(120);
  OpenWriter();
  CreateTopic("t", kPartitions);
  OpenReader();
  std::vector<ReadOnlyPartition> partitions;
  std::vector<int64_t> next(kPartitions, 0);
  for (int32_t i = 0; i < kPartitions; ++i) {
    auto partition = reader_->partition("t", i);
    ASSERT_THAT(partition, IsOk());
    partitions.push_back(*std::move(partition));
  }
  for (int round = 0; round < 4; ++round) {
    for (int32_t i = 0; i < kPartitions; ++i) {
      auto partition = writer_->partition("t", i);
      ASSERT_THAT(partition, IsOk());
      ASSERT_THAT(partition->Append({.value = absl::StrCat(round, "/", i)},
                                    Durability::kMemory),
                  IsOk());
      EXPECT_THAT(ValuesIn(partitions[i], next[i]),
                  Each(absl::StrCat(round, "/", i)));
      next[i] = *partitions[i].visible_end();
    }
    EXPECT_LT(ProcessFootprint::Now().descriptors, 120);
  }
  EXPECT_THAT(next, Each(int64_t{4}));
}

TEST_F(ReadOnlyStoreTest, TopicThatIsDeletedWhileItsReaderRestsIsNotFound) {
  constexpr int32_t kPartitions = 40;
  const DescriptorLimit limit(120);
  OpenWriter();
  CreateTopic("t");
  Append("t", "a");
  CreateTopic("many", kPartitions);
  OpenReader();
  const ReadOnlyPartition resting = PartitionOf("t");
  EXPECT_THAT(ValuesIn(resting), ElementsAre("a"));
  std::vector<ReadOnlyPartition> others;
  for (int32_t i = 0; i < kPartitions; ++i) {
    auto partition = reader_->partition("many", i);
    ASSERT_THAT(partition, IsOk());
    EXPECT_THAT(partition->visible_end(), IsOkAndHolds(0));
    others.push_back(*std::move(partition));
  }
  ASSERT_THAT(writer_->DeleteTopic("t"), IsOk());
  CreateTopic("t");
  Append("t", "b");
  EXPECT_THAT(resting.Read(0),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("was deleted")));
  EXPECT_THAT(ValuesIn(PartitionOf("t")), ElementsAre("b"));
}

TEST_F(ReadOnlyStoreTest, TopicThatWasJustMadeIsRead) {
  OpenWriter();
  CreateTopic("t");
  Append("t", "a");
  OpenReader();
  EXPECT_THAT(ValuesIn(PartitionOf("t")), ElementsAre("a"));
  // What the reader knows is some milliseconds old.
  CreateTopic("u");
  Append("u", "b");
  EXPECT_THAT(ValuesIn(PartitionOf("u")), ElementsAre("b"));
}

}  // namespace
}  // namespace varve
