// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_PREPARE_DUTY_H_
#define VARVE_API_PREPARE_DUTY_H_

#include <memory>
#include <stop_token>
#include <utility>

#include "absl/time/time.h"
#include "api/duty.h"
#include "api/partition_parking.h"
#include "log/clock.h"

namespace varve {

// What keeps appends from waiting for the kernel, and the process from holding
// more open than it uses: partitions that were not used for kParkInterval, or
// up to twice that, are parked.
//
// Borrows the clock, which must outlive it.
//
// Thread safety: as Duty.
class PrepareDuty final : public Duty {
 public:
  static constexpr absl::Duration kParkInterval = absl::Seconds(30);

  PrepareDuty(std::shared_ptr<PartitionParking> parking, Clock* clock)
      : parking_(std::move(parking)),
        clock_(clock),
        park_due_(clock->Steady() + kParkInterval) {}

  absl::Time Run(const std::stop_token& stop) override;

 private:
  // Constant after construction.
  const std::shared_ptr<PartitionParking> parking_;
  Clock* const clock_;

  // Used by `Run` alone.
  absl::Time park_due_;
};

}  // namespace varve

#endif  // VARVE_API_PREPARE_DUTY_H_
