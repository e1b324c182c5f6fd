// SPDX-License-Identifier: Apache-2.0

#include "varve/log/producer/snapshot_plan.h"

#include <cstdint>
#include <ostream>
#include <vector>

#include "absl/strings/str_join.h"
#include "gtest/gtest.h"

namespace varve {

void PrintTo(const SnapshotPlan& plan, std::ostream* out) {
  *out << "load " << absl::StrJoin(plan.load, " ") << ", remove "
       << absl::StrJoin(plan.remove, " ");
}

namespace {

using Offsets = std::vector<int64_t>;

// A log from 100 to 350 in segments at 100, 200 and 300.
SnapshotPlan Plan(const Offsets& offsets) {
  const Offsets bases = {100, 200, 300};
  return PlanSnapshots({.offsets = offsets,
                        .segment_bases = bases,
                        .log_start = 100,
                        .log_end = 350});
}

TEST(SnapshotPlanTest, WithoutSnapshotsThereIsNothingToDo) {
  EXPECT_EQ(Plan({}), SnapshotPlan());
}

TEST(SnapshotPlanTest, NewestIsLoadedFirst) {
  EXPECT_EQ(Plan({300, 200, 350}), (SnapshotPlan{{350, 300, 200}, {}}));
}

TEST(SnapshotPlanTest, ThoseAtNoBaseGoButForTheNewestBehindTheLastBase) {
  EXPECT_EQ(Plan({200, 210, 300, 320, 340}),
            (SnapshotPlan{{340, 300, 200}, {210, 320}}));
}

TEST(SnapshotPlanTest, NewestAtNoBaseGoesWhenASegmentBeginsBehindIt) {
  EXPECT_EQ(Plan({200, 210, 290}), (SnapshotPlan{{200}, {210, 290}}));
  EXPECT_EQ(Plan({200, 290, 300}), (SnapshotPlan{{300, 200}, {290}}));
}

TEST(SnapshotPlanTest, ThoseAboveTheEndAndBelowTheStartGo) {
  EXPECT_EQ(Plan({99, 100, 350, 351, 400}),
            (SnapshotPlan{{350, 100}, {99, 351, 400}}));
}

// One above the end is none: it does not push out that of the last close.
TEST(SnapshotPlanTest, ThatOfTheCloseStaysWhenOneIsAboveTheEnd) {
  EXPECT_EQ(Plan({340, 360}), (SnapshotPlan{{340}, {360}}));
}

TEST(SnapshotPlanTest,
     BaseOfTheSegmentOfTheLogStartKeepsOneAndThoseBeforeDoNot) {
  const Offsets bases = {50, 100, 200};
  const Offsets offsets = {50, 100, 120, 200};
  EXPECT_EQ(PlanSnapshots({.offsets = offsets,
                           .segment_bases = bases,
                           .log_start = 150,
                           .log_end = 250}),
            (SnapshotPlan{{200, 100}, {50, 120}}));
}

TEST(SnapshotPlanTest, EmptyLogKeepsThatOfItsStart) {
  const Offsets offsets = {200, 300};
  EXPECT_EQ(PlanSnapshots({.offsets = offsets,
                           .segment_bases = {},
                           .log_start = 300,
                           .log_end = 300}),
            (SnapshotPlan{{300}, {200}}));
}

}  // namespace
}  // namespace varve
