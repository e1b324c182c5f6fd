// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_STORE_PREPARE_DUTY_H_
#define VARVE_API_STORE_PREPARE_DUTY_H_

#include <cstdint>
#include <memory>
#include <stop_token>
#include <utility>

#include "absl/time/time.h"
#include "varve/api/duty/duty.h"
#include "varve/api/partitions/partition_parking.h"
#include "varve/api/partitions/partition_table.h"
#include "varve/log/system/clock.h"

namespace varve {

// Keeps appends from waiting for the kernel, and the process from holding more
// open than it uses: pages are populated and segments made ready ahead of busy
// partitions, within kPopulatedMax bytes for the whole store (beyond that each
// busy partition gets a little, and a ready segment its front); partitions that
// were not used for kParkInterval, or up to twice that, are parked.
//
// Borrows the table and the clock, which must outlive it.
//
// Thread safety: as Duty.
class PrepareDuty final : public Duty {
 public:
  static constexpr absl::Duration kParkInterval = absl::Seconds(30);
  static constexpr int64_t kPopulatedMax = int64_t{64} << 20;

  PrepareDuty(PartitionTable* partitions,
              std::shared_ptr<PartitionParking> parking, Clock* clock)
      : partitions_(partitions),
        parking_(std::move(parking)),
        clock_(clock),
        park_due_(clock->Steady() + kParkInterval) {}

  absl::Time Run(const std::stop_token& stop) override;

 private:
  void PrepareWanted(const std::stop_token& stop);

  // Constant after construction.
  PartitionTable* const partitions_;
  const std::shared_ptr<PartitionParking> parking_;
  Clock* const clock_;

  // Used by `Run` alone.
  absl::Time park_due_;
};

}  // namespace varve

#endif  // VARVE_API_STORE_PREPARE_DUTY_H_
