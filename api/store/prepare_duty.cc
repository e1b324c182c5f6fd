// SPDX-License-Identifier: Apache-2.0

#include "varve/api/store/prepare_duty.h"

#include <cstdint>
#include <memory>
#include <stop_token>
#include <vector>

#include "absl/time/time.h"
#include "varve/log/partition/partition_log.h"

namespace varve {

void PrepareDuty::PrepareWanted(const std::stop_token& stop) {
  const std::vector<std::shared_ptr<PartitionLog>> logs = partitions_->opened();
  int64_t populated = 0;
  for (const auto& log : logs) populated += log->populated_ahead();
  for (const auto& log : logs) {
    if (stop.stop_requested()) return;
    if (!log->TakePreparationWanted()) continue;
    populated -= log->populated_ahead();
    log->PrepareAhead(kPopulatedMax - populated);
    populated += log->populated_ahead();
  }
}

absl::Time PrepareDuty::Run(const std::stop_token& stop) {
  if (stop.stop_requested()) return absl::InfiniteFuture();
  PrepareWanted(stop);
  if (clock_->Steady() >= park_due_) {
    parking_->ParkUnused();
    park_due_ = clock_->Steady() + kParkInterval;
  }
  return park_due_;
}

}  // namespace varve
