// SPDX-License-Identifier: Apache-2.0

// How far groups are behind, in LogStore::Metrics.

#include "varve/api/groups/group_lags.h"

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/store_fixture.h"
#include "varve/api/log_store.h"
#include "varve/api/store_metrics.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

GroupLag Lag(const std::string& group, int32_t partition, int64_t offset,
             int64_t lag) {
  return {.group = group,
          .partition = {.topic = "orders", .partition = partition},
          .offset = offset,
          .lag = lag};
}

// Five records in each of two partitions.
class GroupLagsTest : public StoreFixture {
 protected:
  void SetUp() override {
    Open();
    MakeOrders();
  }

  void MakeOrders() {
    ASSERT_THAT(store_->CreateTopic("orders", {.partitions = 2}), IsOk());
    Append(0, 5);
    Append(1, 5);
  }

  StoreOptions Options() override {
    StoreOptions options = {.background = Background::kNone};
    options.environment.files = &files_;
    return options;
  }

  void Append(int32_t partition, int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_THAT(Orders(partition).Append({.value = "v"}, Durability::kMemory),
                  IsOk());
    }
  }
  absl::Status Commit(const std::string& group, int32_t partition,
                      int64_t offset) {
    return store_->CommitOffset(group, "orders", partition, offset,
                                Durability::kMemory);
  }

  FaultyFileSystem files_;
};

TEST_F(GroupLagsTest, NoGroupHasNone) {
  EXPECT_THAT(store_->Metrics().group_lags, IsEmpty());
  EXPECT_EQ(store_->Metrics().unseen_group_offsets, 0);
}

TEST_F(GroupLagsTest, LagGrowsWithAppendsAndFallsWithCommits) {
  ASSERT_THAT(Commit("g", 1, 5), IsOk());
  ASSERT_THAT(Commit("g", 0, 2), IsOk());
  ASSERT_THAT(Commit("a", 0, 0), IsOk());
  EXPECT_THAT(
      store_->Metrics().group_lags,
      ElementsAre(Lag("a", 0, 0, 5), Lag("g", 0, 2, 3), Lag("g", 1, 5, 0)));
  Append(1, 3);
  ASSERT_THAT(Commit("g", 0, 4), IsOk());
  EXPECT_THAT(
      store_->Metrics().group_lags,
      ElementsAre(Lag("a", 0, 0, 5), Lag("g", 0, 4, 1), Lag("g", 1, 5, 3)));
}

TEST_F(GroupLagsTest, RecordsThatWereDeletedUnreadCount) {
  ASSERT_THAT(Commit("g", 0, 1), IsOk());
  ASSERT_THAT(Orders(0).TrimBefore(4), IsOk());
  EXPECT_THAT(store_->Metrics().group_lags, ElementsAre(Lag("g", 0, 1, 4)));
}

TEST_F(GroupLagsTest, AfterACleanOpenOnlyWhatIsUsedIsKnown) {
  ASSERT_THAT(Commit("g", 0, 2), IsOk());
  ASSERT_THAT(Commit("g", 1, 3), IsOk());
  Reopen();
  EXPECT_THAT(store_->Metrics().group_lags, IsEmpty());
  ASSERT_THAT(store_->CommittedOffset("g", "orders", 0), IsOk());
  // Asking has opened this partition, and the metrics open none.
  EXPECT_THAT(store_->Metrics().group_lags, ElementsAre(Lag("g", 0, 2, 3)));
  EXPECT_EQ(store_->Metrics().open_partitions, 2);
  Append(1, 1);
  EXPECT_THAT(store_->Metrics().group_lags,
              ElementsAre(Lag("g", 0, 2, 3), Lag("g", 1, 3, 3)));
}

TEST_F(GroupLagsTest, ClosedStoreStillSaysWhereItsGroupsWere) {
  ASSERT_THAT(Commit("g", 0, 2), IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_THAT(store_->Metrics().group_lags, ElementsAre(Lag("g", 0, 2, 3)));
}

TEST_F(GroupLagsTest, DeletedOffsetsAndTopicsHaveNone) {
  ASSERT_THAT(Commit("g", 0, 2), IsOk());
  ASSERT_THAT(Commit("h", 0, 2), IsOk());
  ASSERT_THAT(store_->DeleteGroup("h"), IsOk());
  EXPECT_THAT(store_->Metrics().group_lags, ElementsAre(Lag("g", 0, 2, 3)));
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  EXPECT_THAT(store_->Metrics().group_lags, IsEmpty());
  MakeOrders();
  EXPECT_THAT(store_->Metrics().group_lags, IsEmpty());
  ASSERT_THAT(Commit("g", 0, 1), IsOk());
  EXPECT_THAT(store_->Metrics().group_lags, ElementsAre(Lag("g", 0, 1, 4)));
}

TEST_F(GroupLagsTest, OffsetsBeyondTheLimitAreCountedAlone) {
  for (int64_t i = 0; i < kGroupLagsMax + 2; ++i) {
    ASSERT_THAT(Commit(absl::StrFormat("g%05d", i), 0, 1), IsOk());
  }
  const StoreMetrics metrics = store_->Metrics();
  ASSERT_THAT(metrics.group_lags, SizeIs(kGroupLagsMax));
  EXPECT_EQ(metrics.group_lags.front(), Lag("g00000", 0, 1, 4));
  EXPECT_EQ(metrics.group_lags.back(), Lag("g00999", 0, 1, 4));
  EXPECT_EQ(metrics.unseen_group_offsets, 2);
}

TEST_F(GroupLagsTest, VeryLongIdIsLeftOut) {
  const std::string longest(kGroupLagIdSizeMax, 'x');
  ASSERT_THAT(Commit(longest, 0, 1), IsOk());
  ASSERT_THAT(Commit(longest + "x", 0, 1), IsOk());
  EXPECT_THAT(store_->Metrics().group_lags, ElementsAre(Lag(longest, 0, 1, 4)));
  EXPECT_EQ(store_->Metrics().unseen_group_offsets, 0);
}

TEST_F(GroupLagsTest, CommitThatWaitsForTheDiskKeepsNoMetricsWaiting) {
  ASSERT_THAT(Commit("g", 0, 2), IsOk());
  Reopen();
  ASSERT_THAT(store_->CommittedOffset("g", "orders", 0), IsOk());
  files_.HoldCallNamed("File::Allocate " + path_ + "/__consumer_offsets-0");
  absl::Status committed;
  std::thread committer([&] { committed = Commit("g", 0, 4); });
  files_.AwaitHeld();
  EXPECT_THAT(store_->Metrics().group_lags, ElementsAre(Lag("g", 0, 2, 3)));
  files_.LetGo();
  committer.join();
  EXPECT_THAT(committed, IsOk());
  EXPECT_THAT(store_->Metrics().group_lags, ElementsAre(Lag("g", 0, 4, 1)));
}

TEST_F(GroupLagsTest, MetricsAreTakenBesideCommits) {
  std::vector<std::thread> committers;
  for (int t = 0; t < 2; ++t) {
    committers.emplace_back([this, t] {
      for (int64_t i = 0; i < 500; ++i) {
        ASSERT_THAT(Commit(absl::StrCat("g", t, i % 7), 0, i % 6), IsOk());
      }
    });
  }
  for (int i = 0; i < 100; ++i) {
    for (const GroupLag& one : store_->Metrics().group_lags)
      ASSERT_EQ(one.offset + one.lag, 5);
  }
  for (std::thread& committer : committers) committer.join();
  EXPECT_THAT(store_->Metrics().group_lags, SizeIs(14));
}

}  // namespace
}  // namespace varve
