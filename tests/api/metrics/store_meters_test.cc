// SPDX-License-Identifier: Apache-2.0

#include "varve/api/metrics/store_meters.h"

#include <cstdint>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "varve/api/store_metrics.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/recovery/partition_recovery_report.h"
#include "varve/log/recovery/tail_recovery.h"
#include "varve/log/system/clock.h"

namespace varve {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

constexpr TopicId kA(0, 1);
constexpr TopicId kB(0, 2);

class StoreMetersTest : public testing::Test {
 protected:
  StoreMeters board_{Clock::Real()};
};

TEST_F(StoreMetersTest, PartitionKeepsItsMeters) {
  board_.Of("a", kA, 0)->NoteBatch(2, 100);
  board_.Of("a", kA, 0)->NoteBatch(3, 50);
  EXPECT_EQ(board_.Of("a", kA, 0), board_.Of("a", kA, 0));
  EXPECT_NE(board_.Of("a", kA, 0), board_.Of("a", kA, 1));
  EXPECT_EQ(board_.Of("a", kA, 0)->records(), 5);
}

TEST_F(StoreMetersTest, DeletedTopicStaysInTheTotalsOnly) {
  board_.Of("a", kA, 0)->NoteBatch(1, 10);
  board_.Of("a", kA, 1)->NoteBatch(1, 10);
  board_.Of("b", kB, 0)->NoteBatch(4, 40);
  board_.ForgetTopic(kA);
  board_.ForgetTopic(TopicId(7, 7));
  board_.Of("a", TopicId(0, 9), 0)->NoteBatch(1, 7);  // created again
  const StoreMetrics metrics = board_.Snapshot();
  EXPECT_EQ(metrics.traffic.appends, 4);
  EXPECT_EQ(metrics.traffic.appended_bytes, 67);
  EXPECT_THAT(metrics.topics,
              ElementsAre(Pair("a", TrafficMetrics{.appends = 1,
                                                   .appended_records = 1,
                                                   .appended_bytes = 7}),
                          Pair("b", TrafficMetrics{.appends = 1,
                                                   .appended_records = 4,
                                                   .appended_bytes = 40})));
}

// The old one's partition was being opened when it was deleted.
TEST_F(StoreMetersTest, MetersOfAnOldTopicAreNotTheNewOnesOfItsName) {
  board_.ForgetTopic(kA);
  board_.Of("a", kA, 0)->NoteBatch(5, 500);
  board_.Of("a", kB, 0)->NoteBatch(1, 7);
  board_.ForgetTopic(kA);
  EXPECT_THAT(board_.Snapshot().topics,
              ElementsAre(Pair("a", TrafficMetrics{.appends = 1,
                                                   .appended_records = 1,
                                                   .appended_bytes = 7})));
  EXPECT_EQ(board_.Snapshot().traffic.appended_bytes, 507);
}

TEST_F(StoreMetersTest, FindingsOfRecoveryAreCountedByKind) {
  PartitionRecoveryReport recovery = {.bytes_scanned = 1000};
  for (const RecoveryAction action :
       {RecoveryAction::kKeepAll, RecoveryAction::kTrimZeros,
        RecoveryAction::kCutTornTail, RecoveryAction::kCutAmbiguous,
        RecoveryAction::kKeepDamaged, RecoveryAction::kKeepDamaged}) {
    recovery.AddFinding({.action = action});
  }
  recovery.more_findings = 5;
  board_.NoteRecovery(recovery);
  const StoreMetrics metrics = board_.Snapshot();
  EXPECT_EQ(metrics.recovered_bytes, 1000);
  EXPECT_EQ(metrics.torn_tails, 1);
  EXPECT_EQ(metrics.ambiguous_cuts, 1);
  EXPECT_EQ(metrics.corrupt_places, 7);
}

TEST_F(StoreMetersTest, EveryMeterIsInTheSnapshot) {
  LogMeters& log = board_.log();
  log.append_errors.Add(absl::ResourceExhaustedError(""));
  log.read_errors.Add(absl::DataLossError(""));
  log.sync_errors.Add(absl::UnknownError(""));
  log.open_errors.Add(absl::NotFoundError(""));
  log.duty_errors.Add(absl::InternalError(""));
  log.duty_errors.Add(absl::OkStatus());
  log.roll_ns.Add(5);
  log.ready_rolls.Add(2);
  log.append_allocations.Add(3);
  log.held->populate_ns.Add(6);
  log.held->populated_bytes.Add(4);
  log.deleted_segments.Add(5);
  log.deleted_bytes.Add(6);
  log.checkpoints.Add(7);
  const StoreMetrics metrics = board_.Snapshot();
  EXPECT_EQ(metrics.append_errors[8], 1);
  EXPECT_EQ(metrics.read_errors[15], 1);
  EXPECT_EQ(metrics.sync_errors[2], 1);
  EXPECT_EQ(metrics.open_errors[5], 1);
  EXPECT_EQ(metrics.duty_errors[13], 1);
  EXPECT_EQ(metrics.duty_errors[0], 0);
  EXPECT_EQ(metrics.roll_ns.sum(), 5);
  EXPECT_EQ(metrics.ready_rolls, 2);
  EXPECT_EQ(metrics.append_allocations, 3);
  EXPECT_EQ(metrics.populate_ns.sum(), 6);
  EXPECT_EQ(metrics.populated_bytes, 4);
  EXPECT_EQ(metrics.deleted_segments, 5);
  EXPECT_EQ(metrics.deleted_bytes, 6);
  EXPECT_EQ(metrics.checkpoints, 7);
}

}  // namespace
}  // namespace varve
