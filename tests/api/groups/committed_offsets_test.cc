// SPDX-License-Identifier: Apache-2.0

// What a program sees of committed offsets, through LogStore.

#include <cstddef>
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
#include "tests/api/groups/committed_offsets_fixture.h"
#include "varve/api/log_store.h"
#include "varve/api/offsets/group_id.h"

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

using CommittedOffsetsTest = CommittedOffsetsFixture;

TEST_F(CommittedOffsetsTest, CommittedOffsetComesBackAlsoAfterAReopen) {
  AppendRecords(5);
  const absl::Time before = absl::Now() - absl::Milliseconds(1);
  ASSERT_THAT(
      store_->CommitOffsets(
          "billing",
          {OffsetCommit{.topic = "orders", .offset = 3, .metadata = "höst-1"}}),
      IsOk());
  for (int round = 0; round < 2; ++round) {
    auto found = store_->CommittedOffset("billing", "orders", 0);
    ASSERT_THAT(found, IsOk());
    EXPECT_EQ(found->offset, 3);
    EXPECT_EQ(found->leader_epoch, 0);
    EXPECT_EQ(found->metadata, "höst-1");
    EXPECT_GE(found->commit_time, before);
    EXPECT_LE(found->commit_time, absl::Now());
    Reopen();
  }
}

TEST_F(CommittedOffsetsTest, NothingCommittedIsNotFound) {
  EXPECT_THAT(store_->CommittedOffset("billing", "orders", 1),
              StatusIs(absl::StatusCode::kNotFound,
                       AllOf(HasSubstr("billing"), HasSubstr("orders"),
                             HasSubstr("partition 1"))));
  EXPECT_THAT(store_->DescribeGroup("billing"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("billing")));
  EXPECT_THAT(store_->DeleteGroup("billing"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("billing")));
  EXPECT_THAT(store_->ListGroups(), IsOkAndHolds(IsEmpty()));
  // Asking makes nothing.
  EXPECT_THAT(store_->ListTopics(), SizeIs(1));
}

TEST_F(CommittedOffsetsTest, UnknownTopicAndPartitionAreErrors) {
  EXPECT_THAT(store_->CommitOffset("g", "odrers", 0, 0),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("odrers")));
  EXPECT_THAT(store_->CommitOffset("g", "orders", 3, 0),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("0 to 2")));
  EXPECT_THAT(store_->CommittedOffset("g", "odrers", 0),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("odrers")));
  EXPECT_THAT(store_->CommittedOffset("g", "orders", 3),
              StatusIs(absl::StatusCode::kOutOfRange));
}

TEST_F(CommittedOffsetsTest, OffsetsOutsideOfTheLogAreRefused) {
  AppendRecords(5);
  for (int64_t offset : {int64_t{-1}, int64_t{6}, INT64_MAX, INT64_MIN}) {
    EXPECT_THAT(
        store_->CommitOffset("g", "orders", 0, offset),
        StatusIs(absl::StatusCode::kOutOfRange,
                 AllOf(HasSubstr(absl::StrCat("offset ", offset)),
                       HasSubstr("starts at 0"), HasSubstr("ends before 5"))));
  }
  EXPECT_EQ(OffsetOf("g"), -1);
  EXPECT_THAT(store_->CommitOffset("g", "orders", 0, 5), IsOk());
  EXPECT_EQ(OffsetOf("g"), 5);
}

TEST_F(CommittedOffsetsTest, OffsetBeforeAnyRecordHasNoEpoch) {
  ASSERT_THAT(store_->CommitOffset("g", "orders", 0, 0), IsOk());
  auto found = store_->CommittedOffset("g", "orders", 0);
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(found->offset, 0);
  EXPECT_EQ(found->leader_epoch, -1);
}

TEST_F(CommittedOffsetsTest, SeveralOffsetsAreOneBatch) {
  for (int32_t partition : {0, 1, 2}) {
    ASSERT_THAT(Orders(partition).Append({.value = "a"}), IsOk());
  }
  ASSERT_THAT(
      store_->CommitOffsets(
          "g", {OffsetCommit{.topic = "orders", .partition = 0, .offset = 1},
                OffsetCommit{.topic = "orders", .partition = 2, .offset = 1}}),
      IsOk());
  EXPECT_EQ(OffsetOf("g", 0), 1);
  EXPECT_EQ(OffsetOf("g", 1), -1);
  EXPECT_EQ(OffsetOf("g", 2), 1);
  auto view = OffsetsOf("g").Read(0);
  ASSERT_THAT(view, IsOk());
  EXPECT_EQ((*view->begin()).record_count(), 2);
  EXPECT_EQ(view->next_offset(), 2);
}

TEST_F(CommittedOffsetsTest, OneBadOffsetOfSeveralCommitsNone) {
  AppendRecords(1);
  const std::string longest(kOffsetMetadataSizeMax, 'm');
  EXPECT_THAT(
      store_->CommitOffsets(
          "g",
          {OffsetCommit{.topic = "orders", .offset = 1, .metadata = longest},
           OffsetCommit{.topic = "orders", .partition = 1, .offset = 1}}),
      StatusIs(absl::StatusCode::kOutOfRange));
  const std::string longer = longest + "m";
  EXPECT_THAT(
      store_->CommitOffsets(
          "g",
          {OffsetCommit{.topic = "orders", .offset = 1},
           OffsetCommit{.topic = "orders", .offset = 1, .metadata = longer}}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("4096")));
  EXPECT_EQ(OffsetOf("g"), -1);
  EXPECT_THAT(
      store_->CommitOffsets(
          "g",
          {OffsetCommit{.topic = "orders", .offset = 1, .metadata = longest}}),
      IsOk());
  EXPECT_EQ(store_->CommittedOffset("g", "orders", 0)->metadata, longest);
}

TEST_F(CommittedOffsetsTest, LaterCommitCountsAlsoWhenItGoesBack) {
  AppendRecords(9);
  for (int64_t offset : {4, 9, 2}) {
    ASSERT_THAT(store_->CommitOffset("g", "orders", 0, offset), IsOk());
    EXPECT_EQ(OffsetOf("g"), offset);
  }
  ASSERT_THAT(store_->CommitOffsets(
                  "g", {OffsetCommit{.topic = "orders", .offset = 5},
                        OffsetCommit{.topic = "orders", .offset = 7}}),
              IsOk());
  Reopen();
  EXPECT_EQ(OffsetOf("g"), 7);
}

TEST_F(CommittedOffsetsTest, GroupIdsOfEveryKindAreApart) {
  AppendRecords(9);
  const std::vector<std::string> groups = {"a",
                                           "a b/c",
                                           "grün 漢字 🌊",
                                           std::string("\0x", 2),
                                           std::string(kGroupIdSizeMax, 'x'),
                                           "polygenelubricants"};
  for (size_t i = 0; i < groups.size(); ++i) {
    ASSERT_THAT(
        store_->CommitOffset(groups[i], "orders", 0, static_cast<int64_t>(i)),
        IsOk());
  }
  Reopen();
  for (size_t i = 0; i < groups.size(); ++i) {
    EXPECT_EQ(OffsetOf(groups[i]), static_cast<int64_t>(i));
  }
  for (const std::string& bad : {std::string(), std::string("\xff"),
                                 std::string(kGroupIdSizeMax + 1, 'x')}) {
    EXPECT_THAT(store_->CommitOffset(bad, "orders", 0, 0),
                StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(store_->CommittedOffset(bad, "orders", 0),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST_F(CommittedOffsetsTest, DeletedOffsetsStayDeleted) {
  AppendRecords(3);
  for (const char* group : {"g", "h"}) {
    for (int32_t partition : {0, 1, 2}) {
      ASSERT_THAT(store_->CommitOffset(group, "orders", partition, 0), IsOk());
    }
  }
  EXPECT_THAT(store_->DeleteOffsets("g", {{.topic = "orders", .partition = 1},
                                          {.topic = "none", .partition = 0}}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));
  EXPECT_EQ(OffsetOf("g", 1), 0);
  ASSERT_THAT(store_->DeleteOffsets("g", {{.topic = "orders", .partition = 1}}),
              IsOk());
  ASSERT_THAT(store_->DeleteGroup("h"), IsOk());
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(OffsetOf("g", 0), 0);
    EXPECT_EQ(OffsetOf("g", 1), -1);
    EXPECT_EQ(OffsetOf("h", 0), -1);
    EXPECT_THAT(store_->ListGroups(), IsOkAndHolds(ElementsAre("g")));
    EXPECT_THAT(store_->DeleteGroup("h"),
                StatusIs(absl::StatusCode::kNotFound));
    Reopen();
  }
}

TEST_F(CommittedOffsetsTest, GroupIsDescribedWithItsLag) {
  AppendRecords(5);
  ASSERT_THAT(store_->CommitOffset("g", "orders", 1, 0), IsOk());
  ASSERT_THAT(store_->CommitOffset("g", "orders", 0, 3), IsOk());
  Reopen();
  auto described = store_->DescribeGroup("g");
  ASSERT_THAT(described, IsOk());
  ASSERT_THAT(*described, SizeIs(2));
  const GroupOffset& first = (*described)[0];
  EXPECT_EQ(first.partition.topic, "orders");
  EXPECT_EQ(first.partition.partition, 0);
  EXPECT_EQ(first.committed.offset, 3);
  EXPECT_EQ(first.log_start, 0);
  EXPECT_EQ(first.log_end, 5);
  EXPECT_EQ(first.lag(), 2);
  EXPECT_EQ((*described)[1].lag(), 0);
}

TEST_F(CommittedOffsetsTest, SyncedCommitMakesTheRecordsBeforeItDurable) {
  AppendRecords(5, Durability::kMemory);
  ASSERT_THAT(store_->CommitOffset("g", "orders", 0, 5, Durability::kMemory),
              IsOk());
  EXPECT_EQ(Orders().durable_end(), 0);
  EXPECT_EQ(OffsetsOf("g").durable_end(), 0);
  ASSERT_THAT(store_->CommitOffset("g", "orders", 0, 4), IsOk());
  EXPECT_EQ(Orders().durable_end(), 5);
  EXPECT_EQ(OffsetsOf("g").durable_end(), 2);
  EXPECT_EQ(OffsetOf("g"), 4);
}

TEST_F(CommittedOffsetsTest, ClosedStoreTakesAndGivesNone) {
  ASSERT_THAT(store_->CommitOffset("g", "orders", 0, 0), IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  const auto closed = StatusIs(absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(store_->CommitOffset("g", "orders", 0, 0), closed);
  EXPECT_THAT(store_->CommittedOffset("g", "orders", 0), closed);
  EXPECT_THAT(store_->DescribeGroup("g"), closed);
  EXPECT_THAT(store_->ListGroups(), closed);
  EXPECT_THAT(store_->DeleteGroup("g"), closed);
}

TEST_F(CommittedOffsetsTest, ThreadsCommitForTheSameAndForOtherGroups) {
  constexpr int kThreads = 4;
  constexpr int kCommits = 100;
  AppendRecords(kCommits);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t] {
      const std::string own = absl::StrCat("group-", t);
      for (int64_t i = 1; i <= kCommits; ++i) {
        const Durability durability =
            i % 10 == 0 ? Durability::kSynced : Durability::kMemory;
        ASSERT_THAT(store_->CommitOffset(own, "orders", 0, i, durability),
                    IsOk());
        ASSERT_THAT(store_->CommitOffset("shared", "orders", t % 3, 0), IsOk());
        ASSERT_EQ(OffsetOf(own), i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(OffsetsOf("shared").visible_end(), 2 * kThreads * kCommits);
  Reopen();
  for (int t = 0; t < kThreads; ++t) {
    EXPECT_EQ(OffsetOf(absl::StrCat("group-", t)), kCommits);
  }
  EXPECT_THAT(*store_->DescribeGroup("shared"), SizeIs(3));
}

}  // namespace
}  // namespace varve
