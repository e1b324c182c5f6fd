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
#include "varve/log/system/clock.h"

namespace varve {
namespace {

// A compaction that waits looks this often whether it is still wanted.
constexpr absl::Duration kWaitStep = absl::Milliseconds(20);
// While it works it does not hear the bell: it looks after the others this
// often.
constexpr absl::Duration kOthersStep = absl::Milliseconds(200);

}  // namespace

CompactionDuty::CompactionDuty(CompactionPass* pass,
                               std::unique_ptr<Duty> others, Clock* clock,
                               const Options& options)
    : pass_(pass),
      others_(std::move(others)),
      clock_(clock),
      options_(options),
      due_(clock_->Steady() + options_.check_interval),
      others_due_(clock_->Steady()),
      others_ran_at_(clock_->Steady()) {}

absl::Time CompactionDuty::Run(const std::stop_token& stop) {
  // Its bell may have rung for them.
  RunOthers(stop);
  if (clock_->Steady() >= due_ && !stop.stop_requested()) {
    if (!pass_->HasWork()) {
      due_ = clock_->Steady() + options_.idle_interval;
    } else if (pass_->RunDue(
                   [&](absl::Duration time) { return Wait(time, stop); })) {
      due_ = clock_->Steady() + options_.check_interval;
    }
  }
  return std::min(due_, others_due_);
}

bool CompactionDuty::Wait(absl::Duration time, const std::stop_token& stop) {
  const absl::Time until = clock_->Steady() + time;
  while (true) {
    if (stop.stop_requested()) return false;
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
