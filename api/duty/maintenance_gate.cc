// SPDX-License-Identifier: Apache-2.0

#include "varve/api/duty/maintenance_gate.h"

#include <cstdint>

#include "absl/log/check.h"
#include "absl/synchronization/mutex.h"

namespace varve {

bool MaintenanceGate::is_closed() const {
  absl::MutexLock lock(&mu_);
  return closed_count_ > 0;
}

void MaintenanceGate::CloseAndWait() {
  absl::MutexLock lock(&mu_);
  ++closed_count_;
  mu_.Await(absl::Condition(
      +[](int64_t* working) { return *working == 0; }, &working_));
}

void MaintenanceGate::Open() {
  {
    absl::MutexLock lock(&mu_);
    CHECK_GT(closed_count_, 0);
    if (--closed_count_ > 0) return;
  }
  if (on_open_ != nullptr) on_open_();
}

bool MaintenanceGate::Enter() {
  absl::MutexLock lock(&mu_);
  if (closed_count_ > 0) return false;
  ++working_;
  return true;
}

void MaintenanceGate::Leave() {
  absl::MutexLock lock(&mu_);
  CHECK_GT(working_, 0);
  --working_;
}

}  // namespace varve
