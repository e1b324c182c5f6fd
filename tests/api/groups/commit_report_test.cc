// SPDX-License-Identifier: Apache-2.0

// LogStore::TryCommitOffsets: which offsets were refused, and what becomes of
// the others.

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/eventful_clock.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/store_fixture.h"
#include "varve/api/log_store.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Repeat = FaultyFileSystem::Repeat;

constexpr OffsetCommitOptions kOthers = {.on_refused =
                                             OnRefusedOffset::kCommitOthers};

// Two records in each of three partitions.
class CommitReportTest : public StoreFixture {
 protected:
  void SetUp() override {
    Open();
    ASSERT_THAT(store_->CreateTopic("orders", {.partitions = 3}), IsOk());
    for (int32_t i = 0; i < 3; ++i) {
      ASSERT_THAT(Orders(i).Append({.value = "a"}), IsOk());
      ASSERT_THAT(Orders(i).Append({.value = "b"}), IsOk());
    }
  }

  StoreOptions Options() override {
    StoreOptions options = {.background = Background::kNone};
    options.environment.files = &files_;
    options.environment.clock = &clock_;
    options.log_sink = [](const LogMessage&) {};
    return options;
  }

  // An offset of each partition, of which the middle one is past the end.
  static std::vector<OffsetCommit> OneIsPastTheEnd() {
    return {{.topic = "orders", .partition = 0, .offset = 1},
            {.topic = "orders", .partition = 1, .offset = 3},
            {.topic = "orders", .partition = 2, .offset = 2}};
  }

  // -1 when none is committed.
  int64_t OffsetOf(int32_t partition) {
    auto found = store_->CommittedOffset("g", "orders", partition);
    if (absl::IsNotFound(found.status())) return -1;
    EXPECT_THAT(found, IsOk());
    return found.ok() ? found->offset : -2;
  }

  FaultyFileSystem files_;
  EventfulClock clock_;
};

TEST_F(CommitReportTest, NoneIsRefusedAndAllAreCommitted) {
  auto report = store_->TryCommitOffsets(
      "g", {OffsetCommit{.topic = "orders", .partition = 0, .offset = 1},
            OffsetCommit{.topic = "orders", .partition = 2, .offset = 2}});
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->refused, IsEmpty());
  EXPECT_EQ(report->committed, 2);
  EXPECT_EQ(OffsetOf(0), 1);
  EXPECT_EQ(OffsetOf(2), 2);
}

TEST_F(CommitReportTest, RefusedOffsetKeepsTheOthersBackUnlessAsked) {
  auto report = store_->TryCommitOffsets("g", OneIsPastTheEnd());
  ASSERT_THAT(report, IsOk());
  ASSERT_THAT(report->refused, SizeIs(1));
  EXPECT_EQ(report->refused[0].index, 1u);
  EXPECT_EQ(report->refused[0].partition,
            (TopicPartition{.topic = "orders", .partition = 1}));
  EXPECT_THAT(report->refused[0].reason,
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("offset 3")));
  EXPECT_EQ(report->committed, 0);
  for (const int32_t i : {0, 1, 2}) EXPECT_EQ(OffsetOf(i), -1);
  EXPECT_THAT(store_->ListTopics(), SizeIs(1));
}

TEST_F(CommitReportTest, OthersAreCommittedTogetherWhenAsked) {
  auto report = store_->TryCommitOffsets("g", OneIsPastTheEnd(), kOthers);
  ASSERT_THAT(report, IsOk());
  ASSERT_THAT(report->refused, SizeIs(1));
  EXPECT_EQ(report->refused[0].index, 1u);
  EXPECT_EQ(report->committed, 2);
  EXPECT_EQ(OffsetOf(0), 1);
  EXPECT_EQ(OffsetOf(1), -1);
  EXPECT_EQ(OffsetOf(2), 2);
  auto log = store_->partition("__consumer_offsets", 0);
  ASSERT_THAT(log, IsOk());
  auto view = log->Read(0);
  ASSERT_THAT(view, IsOk());
  EXPECT_EQ((*view->begin()).record_count(), 2);
  EXPECT_EQ(log->durable_end(), 2);
}

TEST_F(CommitReportTest, EachRefusalHasItsOwnReasonInTheOrderOfTheCall) {
  const std::string longer(kOffsetMetadataSizeMax + 1, 'm');
  const TopicId unknown(1, 2);
  ASSERT_THAT(Orders(1).TrimBefore(2), IsOk());
  auto report = store_->TryCommitOffsets(
      "g",
      {OffsetCommit{.topic = "odrers", .offset = 0},
       OffsetCommit{.topic = "orders", .partition = 1, .offset = 1},
       OffsetCommit{.topic = "orders", .partition = 2, .offset = 1},
       OffsetCommit{.topic = "orders", .partition = 3, .offset = 0},
       OffsetCommit{.topic = "orders", .offset = 1, .metadata = longer},
       OffsetCommit{.topic = "orders", .offset = 1, .topic_id = unknown}},
      kOthers);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->committed, 1);
  std::vector<absl::StatusCode> codes;
  std::vector<size_t> indexes;
  for (const RefusedOffset& one : report->refused) {
    codes.push_back(one.reason.code());
    indexes.push_back(one.index);
  }
  EXPECT_THAT(indexes, ElementsAre(0, 1, 3, 4, 5));
  EXPECT_THAT(codes, ElementsAre(absl::StatusCode::kNotFound,
                                 absl::StatusCode::kOutOfRange,
                                 absl::StatusCode::kOutOfRange,
                                 absl::StatusCode::kInvalidArgument,
                                 absl::StatusCode::kNotFound));
  EXPECT_EQ(OffsetOf(2), 1);
}

TEST_F(CommitReportTest, AllRefusedMakesNothing) {
  auto report = store_->TryCommitOffsets(
      "g", {OffsetCommit{.topic = "orders", .offset = 9}}, kOthers);
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->refused, SizeIs(1));
  EXPECT_EQ(report->committed, 0);
  EXPECT_THAT(store_->ListTopics(), SizeIs(1));
  report = store_->TryCommitOffsets("g", {}, kOthers);
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->refused, IsEmpty());
  EXPECT_EQ(report->committed, 0);
}

TEST_F(CommitReportTest, TopicThatIsDeletedDuringTheCallIsRefused) {
  ASSERT_THAT(store_->CreateTopic("gone"), IsOk());
  ASSERT_THAT(store_->CommitOffset("g", "orders", 0, 0), IsOk());
  // The time of the commit is asked for when its offset was found good.
  clock_.DoAtNextLook(
      [this] { ASSERT_THAT(store_->DeleteTopic("gone"), IsOk()); });
  auto report = store_->TryCommitOffsets(
      "g",
      {OffsetCommit{.topic = "gone", .offset = 0},
       OffsetCommit{.topic = "orders", .partition = 1, .offset = 2}},
      kOthers);
  ASSERT_THAT(report, IsOk());
  ASSERT_THAT(report->refused, SizeIs(1));
  EXPECT_EQ(report->refused[0].index, 0u);
  EXPECT_THAT(report->refused[0].reason,
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("\"gone\" was deleted while")));
  EXPECT_EQ(report->committed, 1);
  EXPECT_EQ(OffsetOf(1), 2);
}

TEST_F(CommitReportTest, FailureOfTheCommitItselfIsTheCallsError) {
  EXPECT_THAT(store_->TryCommitOffsets("", OneIsPastTheEnd(), kOthers),
              StatusIs(absl::StatusCode::kInvalidArgument));
  ASSERT_THAT(store_->CommitOffset("g", "orders", 0, 0), IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_THAT(store_->TryCommitOffsets("g", OneIsPastTheEnd(), kOthers),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  Open();
  files_.FailCallsNamed("File::Allocate " + path_ + "/__consumer_offsets-0",
                        ENOSPC, Repeat::kForever);
  EXPECT_THAT(store_->TryCommitOffsets("g", OneIsPastTheEnd(), kOthers),
              StatusIs(absl::StatusCode::kResourceExhausted));
  files_.StopFailing();
  EXPECT_EQ(OffsetOf(2), -1);
  EXPECT_EQ(OffsetOf(0), 0);
}

TEST_F(CommitReportTest, CallThatCommitsNothingSyncsNothing) {
  ASSERT_THAT(store_->SyncAll(), IsOk());
  for (const int32_t i : {0, 2}) {
    ASSERT_THAT(Orders(i).Append({.value = "c"}, Durability::kMemory), IsOk());
  }
  std::vector<OffsetCommit> commits = OneIsPastTheEnd();
  commits[0].offset = 3;
  commits[2].offset = 3;
  auto report = store_->TryCommitOffsets("g", commits);
  ASSERT_THAT(report, IsOk());
  ASSERT_THAT(report->refused, SizeIs(1));
  for (const int32_t i : {0, 2}) EXPECT_EQ(Orders(i).durable_end(), 2);
  report = store_->TryCommitOffsets("g", commits, kOthers);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->committed, 2);
  for (const int32_t i : {0, 2}) EXPECT_EQ(Orders(i).durable_end(), 3);
}

TEST_F(CommitReportTest, DiskThatFailsIsTheCallsErrorAndRefusesNothing) {
  ASSERT_THAT(store_->CommitOffset("g", "orders", 0, 0), IsOk());
  ASSERT_THAT(Orders(2).Append({.value = "c"}, Durability::kMemory), IsOk());
  std::vector<OffsetCommit> commits = OneIsPastTheEnd();
  commits[2].offset = 3;
  files_.FailCallsNamed("File::Sync " + path_ + "/orders-2", EIO,
                        Repeat::kOnce);
  // The first has the log poisoned, the second finds it so.
  for (int i = 0; i < 2; ++i) {
    const auto failed = store_->TryCommitOffsets("g", commits, kOthers);
    ASSERT_FALSE(failed.ok());
    EXPECT_THAT(failed.status().message(), HasSubstr("orders-2"));
  }
  EXPECT_EQ(OffsetOf(0), 0);
  auto report =
      store_->TryCommitOffsets("g", {commits[0], commits[1]}, kOthers);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->committed, 1);
  EXPECT_EQ(OffsetOf(0), 1);
}

TEST_F(CommitReportTest, CommitsBelowSyncedAreVisibleAndNotSynced) {
  auto report =
      store_->TryCommitOffsets("g", OneIsPastTheEnd(),
                               {.on_refused = OnRefusedOffset::kCommitOthers,
                                .durability = Durability::kMemory});
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->committed, 2);
  EXPECT_EQ(OffsetOf(2), 2);
  EXPECT_EQ(store_->partition("__consumer_offsets", 0)->durable_end(), 0);
}

}  // namespace
}  // namespace varve
