// SPDX-License-Identifier: Apache-2.0

// Where recovery begins: with the segment that was the active one when the
// recovery point was written down, also when the log has rolled at that very
// offset.

#include <cstdint>
#include <string>

#include "absl/log/check.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/scratch_directory.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"
#include "varve/api/recovery_report.h"
#include "varve/api/store_options.h"
#include "varve/api/store_verifier.h"
#include "varve/api/topic_config.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/system/environment.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::SizeIs;

class RecoveryStartTest : public testing::Test {
 protected:
  // A store without a clean shutdown, at `copy_`, whose last segment begins at
  // its recovery point, which is returned.
  int64_t LeaveRolledAtTheRecoveryPoint() {
    auto store =
        LogStore::Open(scratch_ / "store", {.background = Background::kNone});
    CHECK_OK(store.status());
    TopicConfig config;
    config.log.segment_bytes = 2000;
    config.log.index_interval_bytes = 300;
    CHECK_OK((*store)->CreateTopic("t", config));
    auto partition = (*store)->partition("t", 0);
    CHECK_OK(partition.status());
    int64_t synced_end = 0;
    int64_t segments = 0;
    do {
      CHECK_OK(partition->Append({.value = value_}).status());
      synced_end = partition->visible_end();
      // Writes the recovery point down.
      CHECK_OK(partition->TrimBefore(partition->log_start() + 1));
      segments = partition->segment_count();
      CHECK_OK(
          partition->Append({.value = value_}, Durability::kMemory).status());
    } while (partition->segment_count() == segments);
    CopyStore(scratch_ / "store", copy_);
    return synced_end;
  }

  const ScratchDirectory scratch_;
  const std::string copy_ = scratch_ / "copy";
  const std::string value_ = std::string(200, 'v');
};

TEST_F(RecoveryStartTest, SegmentThatEndsAtTheRecoveryPointIsRecovered) {
  const int64_t recovery_point = LeaveRolledAtTheRecoveryPoint();
  auto store = LogStore::Open(copy_);
  ASSERT_THAT(store, IsOk());
  const RecoveryReport report = (*store)->recovery_report();
  ASSERT_THAT(report.partitions, SizeIs(1));
  ASSERT_EQ(report.partitions[0].recovery_point, recovery_point);
  EXPECT_EQ(report.partitions[0].next_offset, recovery_point + 1);
  ASSERT_THAT((*store)->Close(), IsOk());
  const auto verified = VerifyStore(copy_, Environment(), {});
  ASSERT_THAT(verified, IsOk());
  EXPECT_EQ(verified->damage_count(), 0);
}

TEST_F(RecoveryStartTest, SegmentThatEndsAtTheRecoveryPointIsNoDamageBefore) {
  LeaveRolledAtTheRecoveryPoint();
  const auto verified = VerifyStore(copy_, Environment(), {});
  ASSERT_THAT(verified, IsOk());
  EXPECT_EQ(verified->damage_count(), 0);
}

}  // namespace
}  // namespace varve
