// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_SYNC_DUTY_H_
#define VARVE_API_SYNC_DUTY_H_

#include <memory>
#include <stop_token>

#include "absl/time/time.h"
#include "api/duty.h"
#include "api/partition_table.h"
#include "api/store_events.h"
#include "log/clock.h"
#include "log/environment.h"
#include "log/log_meters.h"

namespace varve {

// What has to become durable though nobody waits for it: kInterval appends
// before their window is over, sealed segments with their indexes, and the
// checkpoint, at most a second behind the syncs it tells of.
//
// Borrows the table, the meters and the environment's, which must outlive it.
//
// Thread safety: as Duty.
class SyncDuty final : public Duty {
 public:
  // How far varve.checkpoint may lag behind.
  static constexpr absl::Duration kCheckpointInterval = absl::Seconds(1);

  SyncDuty(PartitionTable* partitions, std::shared_ptr<StoreEvents> events,
           const Environment& environment, LogMeters* meters);

  absl::Time Run(const std::stop_token& stop) override;

 private:
  absl::Time SyncDuePartitions(const std::stop_token& stop);
  absl::Time WriteDueCheckpoint();

  // Constant after construction.
  PartitionTable* const partitions_;
  const std::shared_ptr<StoreEvents> events_;
  const Environment environment_;
  Clock* const clock_;
  LogMeters* const meters_;

  // When the checkpoint may be written next. Used by `Run` alone.
  absl::Time checkpoint_due_ = absl::InfinitePast();
};

}  // namespace varve

#endif  // VARVE_API_SYNC_DUTY_H_
