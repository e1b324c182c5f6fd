// SPDX-License-Identifier: Apache-2.0

#include "varve/api/store/compaction_duty.h"

#include <algorithm>
#include <memory>
#include <stop_token>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "varve/api/compaction/compaction_pass.h"
#include "varve/api/duty/duty.h"
#include "varve/api/duty/maintenance_gate.h"
#include "varve/log/system/clock.h"

namespace varve {
namespace {

// A compaction that waits looks this often whether it is still wanted.
constexpr absl::Duration kWaitStep = absl::Milliseconds(20);
// While it works it does not hear the bell: it looks after the others this
// often.
constexpr absl::Duration kOthersStep = absl::Milliseconds(200);

}  // namespace

CompactionDuty::CompactionDuty(CompactionPass* pass, MaintenanceGate* gate,
                               std::unique_ptr<Duty> others, Clock* clock,
                               const Options& options)
    : pass_(pass),
      gate_(gate),
      others_(std::move(others)),
      clock_(clock),
      options_(options),
      due_(clock_->Steady() + options_.check_interval),
      ended_at_(clock_->Steady()),
      others_due_(clock_->Steady()),
      others_ran_at_(clock_->Steady()) {}

absl::Time CompactionDuty::Run(const std::stop_token& stop) {
  // Its bell may have rung for them.
  RunOthers(stop);
  if (pass_->TakeSegmentBegun()) {
    due_ = std::min(
        due_, std::max(clock_->Steady(),
                       ended_at_ + options_.check_interval / kSealedPart));
  }
  if (clock_->Steady() >= due_ && !stop.stop_requested()) Compact(stop);
  // The bell rings when a pause ends.
  return gate_->is_closed() ? others_due_ : std::min(due_, others_due_);
}

// One that was stopped is still due.
void CompactionDuty::Compact(const std::stop_token& stop) {
  if (!pass_->HasWork()) {
    due_ = clock_->Steady() + options_.idle_interval;
    return;
  }
  const MaintenanceGate::Work work(gate_);
  if (!work.may_run()) return;
  if (!pass_->RunDue([&](absl::Duration time) { return Wait(time, stop); }))
    return;
  ended_at_ = clock_->Steady();
  due_ = ended_at_ + options_.check_interval;
}

void CompactionDuty::Finish() {
  {
    const MaintenanceGate::Work work(gate_);
    if (work.may_run()) pass_->RunSmall();
  }
  others_->Finish();
}

bool CompactionDuty::Wait(absl::Duration time, const std::stop_token& stop) {
  const absl::Time until = clock_->Steady() + time;
  while (true) {
    if (stop.stop_requested() || gate_->is_closed()) return false;
    if (clock_->Steady() >= std::min(others_due_, others_ran_at_ + kOthersStep))
      RunOthers(stop);
    const absl::Duration left = until - clock_->Steady();
    if (left <= absl::ZeroDuration()) return true;
    absl::SleepFor(std::min(left, kWaitStep));
  }
}

void CompactionDuty::RunOthers(const std::stop_token& stop) {
  others_due_ = others_->Run(stop);
  others_ran_at_ = clock_->Steady();
}

}  // namespace varve
