// SPDX-License-Identifier: Apache-2.0

#include "varve/api/duty/store_duties.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "varve/api/duty/duty.h"
#include "varve/api/duty/duty_bell.h"
#include "varve/api/duty/duty_thread.h"

namespace varve {

void StoreDuties::Add(const DutyThread::Options& options,
                      std::unique_ptr<Duty> duty, DutyBell* bell) {
  auto thread = std::make_unique<DutyThread>(options, duty.get(), bell, clock_);
  entries_.push_back({.duty = std::move(duty), .thread = std::move(thread)});
}

absl::Status StoreDuties::Start() {
  for (const Entry& entry : entries_) {
    absl::Status status = entry.thread->Start();
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Duration StoreDuties::RunDue() {
  absl::Time due = absl::InfiniteFuture();
  for (const Entry& entry : entries_) {
    due = std::min(due, entry.thread->RunOnce());
  }
  return std::max(due - clock_->Steady(), absl::ZeroDuration());
}

void StoreDuties::Stop() {
  for (const Entry& entry : entries_) entry.thread->Stop();
}

void StoreDuties::Finish() {
  for (const Entry& entry : entries_) entry.duty->Finish();
}

}  // namespace varve
