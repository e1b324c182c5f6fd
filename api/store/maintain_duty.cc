// SPDX-License-Identifier: Apache-2.0

#include "varve/api/store/maintain_duty.h"

#include <algorithm>
#include <stop_token>
#include <utility>

#include "absl/time/time.h"
#include "varve/api/duty/maintenance_gate.h"
#include "varve/api/partitions/store_events.h"
#include "varve/api/retention/retention_pass.h"
#include "varve/log/system/clock.h"

namespace varve {
namespace {

// A last look in the future is none: the clock was set back.
absl::Duration UntilDue(absl::Time last, absl::Time now,
                        absl::Duration interval) {
  if (last > now) return absl::ZeroDuration();
  return std::max(last + interval - now, absl::ZeroDuration());
}

}  // namespace

MaintainDuty::MaintainDuty(Work work, Clock* clock,
                           absl::Duration check_interval)
    : work_(std::move(work)),
      clock_(clock),
      check_interval_(check_interval),
      due_(clock_->Steady() + UntilDue(work_.retention->last_run(),
                                       clock_->Now(), check_interval)) {}

absl::Time MaintainDuty::Run(const std::stop_token& stop) {
  const MaintenanceGate::Work work(work_.gate);
  // The bell rings when the pause ends.
  if (!work.may_run()) return absl::InfiniteFuture();
  const absl::Time next = work_.delete_topics(stop);
  const absl::Time due = RunRetention(stop);
  KeepSize(stop);
  return std::min(next, due);
}

void MaintainDuty::Finish() {
  const MaintenanceGate::Work work(work_.gate);
  if (!work.may_run()) return;
  RunRetention({});
  KeepSize({});
}

// What retention deletes, the limit need not.
void MaintainDuty::KeepSize(const std::stop_token& stop) {
  if (work_.size_limit == nullptr || stop.stop_requested()) return;
  work_.size_limit->RunIfWanted(stop);
}

absl::Time MaintainDuty::RunRetention(const std::stop_token& stop) {
  if (work_.events->TakeRetentionWanted()) wanted_ = true;
  // A pass that was stopped is still due.
  if (clock_->Steady() >= due_) {
    if (!work_.retention->RunAll(stop)) return due_;
    due_ = clock_->Steady() + check_interval_;
    wanted_ = false;
    if (work_.size_limit != nullptr) work_.size_limit->Want();
  } else if (wanted_) {
    wanted_ = !work_.retention->RunWanted(stop);
  }
  return due_;
}

}  // namespace varve
