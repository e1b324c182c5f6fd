// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_SPACE_FREE_SPACE_DUTY_H_
#define VARVE_API_SPACE_FREE_SPACE_DUTY_H_

#include <functional>
#include <memory>
#include <stop_token>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "varve/api/duty/duty.h"
#include "varve/api/space/free_space_guard.h"
#include "varve/api/store_options.h"
#include "varve/log/partition/log_meters.h"
#include "varve/log/system/environment.h"

namespace varve {

// Looks at the free space of a store's disk from time to time, whoever writes
// to it; runs retention before its time when it is low; and tells the program
// and the log sink when appends begin to be refused, and when they go on. It
// looks again after a retention, since that may have ended the refusal.
//
// Borrows the meters and the clock, which must outlive it.
//
// Thread safety: as Duty.
class FreeSpaceDuty final : public Duty {
 public:
  static constexpr absl::Duration kLookInterval = absl::Seconds(5);
  static constexpr absl::Duration kLookIntervalLow = absl::Seconds(1);

  struct Work {
    std::shared_ptr<FreeSpaceGuard> guard;
    // Has retention check all partitions; returns false when it was stopped.
    std::function<bool(const std::stop_token&)> run_retention;
    FreeSpaceCallback on_change = nullptr;  // null: nobody is called
    Environment environment = {};
    LogMeters* meters = nullptr;
  };

  explicit FreeSpaceDuty(Work work) : work_(std::move(work)) {}

  absl::Time Run(const std::stop_token& stop) override;
  // Tells what is left to be told.
  void Finish() override { TellChanges(); }

 private:
  void Look();
  void TellChanges();
  void Tell(const FreeSpaceChange& change) const;

  const Work work_;

  // Used by the duty alone.
  bool failing_ = false;
};

}  // namespace varve

#endif  // VARVE_API_SPACE_FREE_SPACE_DUTY_H_
