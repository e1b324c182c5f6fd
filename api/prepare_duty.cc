// SPDX-License-Identifier: Apache-2.0

#include "api/prepare_duty.h"

#include <stop_token>

#include "absl/time/time.h"

namespace varve {

absl::Time PrepareDuty::Run(const std::stop_token& stop) {
  if (stop.stop_requested()) return absl::InfiniteFuture();
  if (clock_->Steady() >= park_due_) {
    parking_->ParkUnused();
    park_due_ = clock_->Steady() + kParkInterval;
  }
  return park_due_;
}

}  // namespace varve
