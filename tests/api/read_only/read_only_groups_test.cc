// SPDX-License-Identifier: Apache-2.0

// Committed offsets by the files of a store alone, beside its writer and
// without one.

#include "varve/api/read_only/read_only_groups.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/memory_directory.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"
#include "varve/api/read_only_store.h"
#include "varve/log/system/log_sink.h"

namespace varve {
namespace {

namespace fs = std::filesystem;

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr auto kNotFound = absl::StatusCode::kNotFound;
constexpr char kOffsetsLog[] = "/__consumer_offsets-0/00000000000000000000.log";

// A store with ten records in each of two partitions of "orders".
class ReadOnlyGroupsTest : public testing::Test {
 protected:
  static constexpr int kRecords = 10;

  void SetUp() override {
    OpenWriter(path_);
    ASSERT_THAT(writer_->CreateTopic("orders", {.partitions = 2}), IsOk());
    Append(0, kRecords);
    Append(1, kRecords);
    OpenReader(path_);
  }

  void OpenWriter(const std::string& path, int32_t offsets_partitions = 1) {
    writer_ = nullptr;
    auto store = LogStore::Open(
        path, {.background = Background::kNone,
               .offsets_topic_num_partitions = offsets_partitions});
    ASSERT_THAT(store, IsOk());
    writer_ = *std::move(store);
  }
  void CloseWriter() {
    ASSERT_THAT(writer_->Close(), IsOk());
    writer_ = nullptr;
  }
  void OpenReader(const std::string& path) {
    ReadOnlyOptions options;
    options.environment.log_sink = [this](const LogMessage& message) {
      said_.emplace_back(message.text);
    };
    auto store = LogStore::OpenReadOnly(path, options);
    ASSERT_THAT(store, IsOk());
    reader_ = *std::move(store);
  }

  void Append(int32_t partition, int count) {
    auto orders = writer_->partition("orders", partition);
    ASSERT_THAT(orders, IsOk());
    for (int i = 0; i < count; ++i)
      ASSERT_THAT(orders->Append({.value = "v"}, Durability::kMemory), IsOk());
  }
  void Commit(const std::string& group, int32_t partition, int64_t offset,
              Durability durability = Durability::kSynced) {
    ASSERT_THAT(
        writer_->CommitOffset(group, "orders", partition, offset, durability),
        IsOk());
  }

  // -1 when none is committed.
  int64_t Seen(const std::string& group = "g", int32_t partition = 0) {
    auto found = reader_->CommittedOffset(group, "orders", partition);
    if (absl::IsNotFound(found.status())) return -1;
    EXPECT_THAT(found, IsOk());
    return found.ok() ? found->offset : -2;
  }

  // The bytes of a log that has what `path` has, and a commit of "g" more.
  std::string LogWithCommit(const std::string& path, int64_t offset) {
    const std::string other = scratch_ / absl::StrCat("with-", offset);
    CopyStore(path, other);
    OpenWriter(other);
    Commit("g", 0, offset);
    CloseWriter();
    return ReadBytes(other + kOffsetsLog);
  }

  // Makes the store in `copy_`: this one after a power loss that left `records`
  // records in each partition, and what it knew of recovery points.
  void LosePower(int64_t records) {
    CloseWriter();
    CopyStore(path_, copy_);
    for (const char* partition : {"/orders-0", "/orders-1"}) {
      const std::string log =
          absl::StrCat(copy_, partition, "/00000000000000000000.log");
      const auto size = static_cast<int64_t>(fs::file_size(log));
      fs::resize_file(log, static_cast<uintmax_t>(records * (size / kRecords)));
      fs::remove(
          absl::StrCat(copy_, partition, "/sealed-00000000000000000000"));
    }
    for (const char* name :
         {"varve.checkpoint", "recovery-point-offset-checkpoint",
          ".kafka_cleanshutdown"}) {
      fs::remove(copy_ + "/" + name);
    }
  }

  static std::map<std::string, std::string> FilesOf(const std::string& path) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
      if (entry.is_regular_file())
        files[entry.path()] = ReadBytes(entry.path());
    }
    return files;
  }

  MemoryDirectory scratch_;
  const std::string path_ = scratch_ / "store";
  const std::string copy_ = scratch_ / "copy";
  std::vector<std::string> said_;
  std::unique_ptr<LogStore> writer_;
  std::unique_ptr<ReadOnlyStore> reader_;
};

TEST_F(ReadOnlyGroupsTest, WithoutACommitThereAreNone) {
  EXPECT_THAT(reader_->ListGroups(), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(reader_->DescribeGroup("g"),
              StatusIs(kNotFound, HasSubstr("group \"g\"")));
  EXPECT_THAT(reader_->CommittedOffset("g", "orders", 1),
              StatusIs(kNotFound, AllOf(HasSubstr("group \"g\""),
                                        HasSubstr("orders, partition 1"))));
}

TEST_F(ReadOnlyGroupsTest, WhatIsNotThereIsTheSameErrorAsTheWriters) {
  Commit("g", 0, 1);
  EXPECT_THAT(reader_->CommittedOffset("g", "odrers", 0),
              StatusIs(kNotFound, HasSubstr("odrers")));
  EXPECT_THAT(
      reader_->CommittedOffset("g", "orders", 2),
      StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("it has 0 to 1")));
  EXPECT_THAT(reader_->CommittedOffset("", "orders", 0),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(reader_->DescribeGroup("\xff"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(ReadOnlyGroupsTest, CommitsOfARunningWriterAreSeenAtOnce) {
  Commit("g", 0, 4);
  EXPECT_EQ(Seen(), 4);
  EXPECT_THAT(reader_->ListGroups(), IsOkAndHolds(ElementsAre("g")));
  Commit("g", 0, 7, Durability::kMemory);
  Commit("a", 1, 10, Durability::kMemory);
  EXPECT_EQ(Seen(), 7);
  EXPECT_EQ(Seen("a", 1), 10);
  EXPECT_THAT(reader_->ListGroups(), IsOkAndHolds(ElementsAre("a", "g")));
  Commit("g", 0, 2);
  EXPECT_EQ(Seen(), 2);
  ASSERT_THAT(writer_->DeleteGroup("a"), IsOk());
  EXPECT_EQ(Seen("a", 1), -1);
  EXPECT_THAT(reader_->ListGroups(), IsOkAndHolds(ElementsAre("g")));
  CloseWriter();
  EXPECT_EQ(Seen(), 2);
  EXPECT_THAT(said_, IsEmpty());
}

TEST_F(ReadOnlyGroupsTest, GroupIsDescribedWithItsLag) {
  ASSERT_THAT(
      writer_->CommitOffsets(
          "g",
          {OffsetCommit{.topic = "orders", .partition = 1, .offset = 10},
           OffsetCommit{.topic = "orders", .offset = 3, .metadata = "höst"}}),
      IsOk());
  auto described = reader_->DescribeGroup("g");
  ASSERT_THAT(described, IsOk());
  ASSERT_THAT(*described, SizeIs(2));
  EXPECT_EQ((*described)[0].partition.topic, "orders");
  EXPECT_EQ((*described)[0].partition.partition, 0);
  EXPECT_EQ((*described)[0].committed.metadata, "höst");
  EXPECT_EQ((*described)[0].committed.leader_epoch, 0);
  EXPECT_EQ((*described)[0].log_start, 0);
  EXPECT_EQ((*described)[0].log_end, 10);
  EXPECT_EQ((*described)[0].lag(), 7);
  EXPECT_EQ((*described)[1].lag(), 0);
  const auto found = writer_->CommittedOffset("g", "orders", 0);
  EXPECT_EQ((*described)[0].committed.commit_time, found->commit_time);
  Append(1, 2);
  EXPECT_EQ((*reader_->DescribeGroup("g"))[1].lag(), 2);
}

TEST_F(ReadOnlyGroupsTest, EveryPartitionOfTheOffsetsIsRead) {
  const std::string other = scratch_ / "other";
  OpenWriter(other, /*offsets_partitions=*/50);
  ASSERT_THAT(writer_->CreateTopic("orders"), IsOk());
  std::vector<std::string> groups;
  for (int i = 0; i < 60; ++i) groups.push_back(absl::StrCat("group-", i + 10));
  Append(0, kRecords);
  for (size_t i = 0; i < groups.size(); ++i)
    Commit(groups[i], 0, static_cast<int64_t>(i % 10), Durability::kMemory);
  OpenReader(other);
  EXPECT_THAT(reader_->ListGroups(), IsOkAndHolds(groups));
  for (size_t i = 0; i < groups.size(); ++i)
    EXPECT_EQ(Seen(groups[i]), static_cast<int64_t>(i % 10));
}

TEST_F(ReadOnlyGroupsTest, AllGroupsAreDescribedAndEachPartitionIsReadOnce) {
  EXPECT_THAT(reader_->DescribeGroups(), IsOkAndHolds(IsEmpty()));
  for (const char* group : {"b", "a", "c"}) Commit(group, 0, 4);
  Commit("a", 1, 7);
  FaultyFileSystem files;
  ReadOnlyOptions options;
  options.environment.files = &files;
  auto store = LogStore::OpenReadOnly(path_, options);
  ASSERT_THAT(store, IsOk());
  const auto all = (*store)->DescribeGroups();
  ASSERT_THAT(all, IsOk());
  int64_t opened = 0;
  for (const std::string& call : files.calls()) {
    if (call == "Directory::OpenDirectory " + path_ + "/orders-0") ++opened;
  }
  EXPECT_EQ(opened, 1);
  ASSERT_THAT(*all, SizeIs(3));
  for (const auto& [group, offsets] : *all) {
    const auto described = (*store)->DescribeGroup(group);
    ASSERT_THAT(described, IsOk());
    ASSERT_EQ(offsets.size(), described->size());
    for (size_t i = 0; i < offsets.size(); ++i) {
      EXPECT_EQ(offsets[i].partition, (*described)[i].partition);
      EXPECT_EQ(offsets[i].committed.offset, (*described)[i].committed.offset);
      EXPECT_EQ(offsets[i].log_start, 0);
      EXPECT_EQ(offsets[i].log_end, kRecords);
    }
  }
  EXPECT_THAT(all->at("a"), SizeIs(2));
  store->reset();
}

TEST_F(ReadOnlyGroupsTest, NothingIsWritten) {
  Commit("g", 0, 4);
  CloseWriter();
  const auto before = FilesOf(path_);
  OpenReader(path_);
  EXPECT_EQ(Seen(), 4);
  EXPECT_THAT(reader_->DescribeGroup("g"), IsOk());
  EXPECT_EQ(FilesOf(path_), before);
}

TEST_F(ReadOnlyGroupsTest, OffsetBelowTheLogStartIsGivenAsItIs) {
  Commit("g", 0, 2);
  ASSERT_THAT(writer_->partition("orders", 0)->TrimBefore(5), IsOk());
  CloseWriter();
  OpenReader(path_);
  EXPECT_EQ(Seen(), 2);
  const auto described = reader_->DescribeGroup("g");
  ASSERT_THAT(described, IsOk());
  EXPECT_EQ((*described)[0].log_start, 5);
  EXPECT_EQ((*described)[0].lag(), 8);
}

TEST_F(ReadOnlyGroupsTest, OffsetOfADeletedTopicIsNotTheNewOnes) {
  Commit("g", 0, 4);
  EXPECT_EQ(Seen(), 4);
  ASSERT_THAT(writer_->DeleteTopic("orders"), IsOk());
  EXPECT_THAT(reader_->ListGroups(), IsOkAndHolds(IsEmpty()));
  ASSERT_THAT(writer_->CreateTopic("orders"), IsOk());
  EXPECT_EQ(Seen(), -1);
  Append(0, 3);
  Commit("g", 0, 2);
  EXPECT_EQ(Seen(), 2);
  EXPECT_EQ(reader_->DescribeGroup("g")->front().lag(), 1);
}

// Whatever part of a commit is there, it is not taken for one, or for damage.
TEST_F(ReadOnlyGroupsTest, CommitThatIsHalfWrittenIsNotThereYet) {
  Commit("g", 0, 1);
  CloseWriter();
  CopyStore(path_, copy_);
  const std::string before = ReadBytes(copy_ + kOffsetsLog);
  const std::string after = LogWithCommit(path_, 2);
  ASSERT_GT(after.size(), before.size());
  OpenReader(copy_);
  ASSERT_EQ(Seen(), 1);
  for (size_t size = before.size(); size < after.size(); ++size) {
    WriteBytes(copy_ + kOffsetsLog, after.substr(0, size));
    ASSERT_EQ(Seen(), 1) << size;
    ASSERT_THAT(reader_->ListGroups(), IsOkAndHolds(ElementsAre("g")));
  }
  WriteBytes(copy_ + kOffsetsLog, after);
  EXPECT_EQ(Seen(), 2);
  EXPECT_THAT(said_, IsEmpty());
}

// As a recovery after a failed sync leaves it: another commit at the offset of
// one that was seen.
TEST_F(ReadOnlyGroupsTest, CommitThatWasReplacedIsNoticed) {
  Commit("g", 0, 1);
  CloseWriter();
  CopyStore(path_, copy_);
  const std::string second = LogWithCommit(path_, 2);
  const std::string third = LogWithCommit(path_, 3);
  OpenReader(copy_);
  WriteBytes(copy_ + kOffsetsLog, second);
  ASSERT_EQ(Seen(), 2);
  WriteBytes(copy_ + kOffsetsLog, third);
  EXPECT_EQ(Seen(), 3);
  // The tail is gone again.
  WriteBytes(copy_ + kOffsetsLog, ReadBytes(path_ + kOffsetsLog));
  EXPECT_EQ(Seen(), 1);
}

TEST_F(ReadOnlyGroupsTest, DamagedCommitIsReportedOnceAndTheOneBeforeCounts) {
  Commit("g", 0, 1);
  Commit("g", 0, 2);
  CloseWriter();
  const std::string bytes = ReadBytes(path_ + kOffsetsLog);
  WriteBytes(path_ + kOffsetsLog,
             WithBitFlipped(bytes, (bytes.size() - 3) * 8));
  OpenReader(path_);
  EXPECT_EQ(Seen(), 1);
  EXPECT_EQ(Seen(), 1);
  EXPECT_THAT(said_, ElementsAre(AllOf(
                         HasSubstr(path_ + "/__consumer_offsets-0: offset 1"),
                         HasSubstr("commits up to offset 1 are lost"),
                         HasSubstr("position"))));
}

TEST_F(ReadOnlyGroupsTest, AfterAPowerLossOffsetsEndWhereTheRecordsDo) {
  Commit("g", 0, 8);
  Commit("g", 1, 5);
  LosePower(/*records=*/5);
  const auto before = FilesOf(copy_);
  OpenReader(copy_);
  EXPECT_EQ(Seen("g", 0), 5);
  EXPECT_EQ(Seen("g", 1), 5);
  const auto described = reader_->DescribeGroup("g");
  ASSERT_THAT(described, IsOk());
  EXPECT_EQ((*described)[0].committed.offset, 5);
  EXPECT_EQ((*described)[0].lag(), 0);
  EXPECT_EQ(FilesOf(copy_), before);
  // The next writer does the same, and writes it down.
  OpenWriter(copy_);
  EXPECT_EQ(writer_->CommittedOffset("g", "orders", 0)->offset, 5);
  EXPECT_EQ(Seen("g", 0), 5);
}

// Only the epoch shows that the records at those offsets are others now.
TEST_F(ReadOnlyGroupsTest, OffsetOfRecordsThatWereReplacedIsSetBack) {
  Commit("g", 0, 8);
  LosePower(/*records=*/5);
  const std::string commits = ReadBytes(copy_ + kOffsetsLog);
  OpenWriter(copy_);
  Append(0, 10);
  CloseWriter();
  // The commit comes back as it was before it was set back.
  WriteBytes(copy_ + kOffsetsLog, commits);
  OpenReader(copy_);
  EXPECT_EQ(Seen("g", 0), 5);
  EXPECT_EQ((*reader_->DescribeGroup("g"))[0].lag(), 10);
}

TEST_F(ReadOnlyGroupsTest, LogThatIsRewrittenIsFollowed) {
  const std::string metadata(kOffsetMetadataSizeMax, 'm');
  const auto commit = [&](const std::string& group, int64_t offset) {
    return writer_->CommitOffsets(
        group,
        {OffsetCommit{
            .topic = "orders", .offset = offset, .metadata = metadata}},
        Durability::kMemory);
  };
  ASSERT_THAT(commit("gone", 1), IsOk());
  ASSERT_EQ(Seen("gone"), 1);
  ASSERT_THAT(writer_->DeleteGroup("gone", Durability::kMemory), IsOk());
  // Twice as many as it takes, with and without a look in between.
  for (int64_t i = 0; i < 600; ++i) {
    ASSERT_THAT(commit("g", i % kRecords), IsOk());
    if (i >= 300) continue;
    ASSERT_EQ(Seen(), i % kRecords);
  }
  ASSERT_GT(writer_->partition("__consumer_offsets", 0)->log_start(), 300);
  EXPECT_EQ(Seen(), 9);
  EXPECT_THAT(reader_->ListGroups(), IsOkAndHolds(ElementsAre("g")));
  EXPECT_THAT(said_, IsEmpty());
}

TEST_F(ReadOnlyGroupsTest, BesideAWriterOffsetsNeverGoBack) {
  const std::string metadata(kOffsetMetadataSizeMax, 'm');
  Append(0, 1000);
  Commit("g", 0, 0);
  std::atomic<bool> done = false;
  std::thread committer([&] {
    for (int64_t i = 1; i <= 1000; ++i) {
      ASSERT_THAT(writer_->CommitOffsets("g",
                                         {OffsetCommit{.topic = "orders",
                                                       .offset = i,
                                                       .metadata = metadata}},
                                         Durability::kMemory),
                  IsOk());
    }
    done = true;
  });
  int64_t last = 0;
  while (!done && !HasFailure()) {
    const int64_t seen = Seen();
    EXPECT_GE(seen, last);
    last = seen;
    EXPECT_THAT(reader_->ListGroups(), IsOkAndHolds(ElementsAre("g")));
  }
  committer.join();
  EXPECT_EQ(Seen(), 1000);
  EXPECT_THAT(said_, IsEmpty());
}

}  // namespace
}  // namespace varve
