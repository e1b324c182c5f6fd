// SPDX-License-Identifier: Apache-2.0

// Committed offsets by the files of a store alone, beside its writer and
// without one. read_only_groups_recovery_test.cc has the files that a crash
// left.

#include "varve/api/read_only/read_only_groups.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/api/read_only/read_only_groups_fixture.h"
#include "tests/fixture/faulty_file_system.h"
#include "varve/api/log_store.h"
#include "varve/api/read_only_store.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using ReadOnlyGroupsTest = ReadOnlyGroupsFixture;

constexpr auto kNotFound = absl::StatusCode::kNotFound;

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

TEST_F(ReadOnlyGroupsTest, LogThatIsCompactedIsFollowed) {
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
  // Two segments and more, and a compaction with a look before and after it,
  // and one without.
  for (int64_t i = 0; i < 1200; ++i) {
    ASSERT_THAT(commit("g", i % kRecords), IsOk());
    if (i < 600) {
      ASSERT_EQ(Seen(), i % kRecords);
    }
    if (i % 600 != 599) continue;
    ASSERT_THAT(writer_->partition("__consumer_offsets", 0)->Sync(), IsOk());
    const auto compacted = writer_->CompactTopic("__consumer_offsets");
    ASSERT_THAT(compacted, IsOk());
    ASSERT_TRUE(compacted->front().compacted);
    ASSERT_EQ(Seen(), i % kRecords);
  }
  EXPECT_THAT(reader_->ListGroups(), IsOkAndHolds(ElementsAre("g")));
  EXPECT_THAT(said_, IsEmpty());
}

// The deletion was compacted away before the reader has come to it.
TEST_F(ReadOnlyGroupsTest, OffsetThatWasDeletedLongAgoIsNotSeenAnyMore) {
  clock_ = &manual_clock_;
  CloseWriter();
  OpenWriter(path_);
  OpenReader(path_);
  const std::string metadata(kOffsetMetadataSizeMax, 'm');
  const auto fill_and_compact = [&] {
    for (int64_t i = 0; i < 300; ++i) {
      ASSERT_THAT(writer_->CommitOffsets("g",
                                         {OffsetCommit{.topic = "orders",
                                                       .offset = 1,
                                                       .metadata = metadata}},
                                         Durability::kMemory),
                  IsOk());
    }
    ASSERT_THAT(writer_->partition("__consumer_offsets", 0)->Sync(), IsOk());
    const auto compacted = writer_->CompactTopic("__consumer_offsets");
    ASSERT_THAT(compacted, IsOk());
    ASSERT_TRUE(compacted->front().compacted);
  };
  Commit("gone", 0, 1);
  Commit("stays", 0, 2);
  ASSERT_EQ(Seen("gone"), 1);
  ASSERT_EQ(Seen("stays"), 2);
  ASSERT_THAT(writer_->DeleteGroup("gone"), IsOk());

  fill_and_compact();
  manual_clock_.Advance(absl::Hours(25));
  fill_and_compact();

  EXPECT_EQ(Seen("gone"), -1);
  EXPECT_EQ(Seen("stays"), 2);
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
