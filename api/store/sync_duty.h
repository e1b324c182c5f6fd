// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_STORE_SYNC_DUTY_H_
#define VARVE_API_STORE_SYNC_DUTY_H_

#include <memory>
#include <stop_token>

#include "absl/time/time.h"
#include "varve/api/duty/duty.h"
#include "varve/api/partitions/partition_table.h"
#include "varve/api/partitions/store_events.h"
#include "varve/log/partition/log_meters.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/system/clock.h"
#include "varve/log/system/environment.h"

namespace varve {

// Makes durable what no caller waits for: kInterval appends before their window
// is over, those of AppendAsync at once, sealed segments with their indexes,
// and the checkpoint, at most a second after the syncs that it covers. Calls
// the callbacks of AppendAsync: this is the one place for it while the store is
// open, so they come one by one and in order.
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
  void Sync(PartitionLog& log);
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

#endif  // VARVE_API_STORE_SYNC_DUTY_H_
