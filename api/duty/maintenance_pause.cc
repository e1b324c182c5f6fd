// SPDX-License-Identifier: Apache-2.0

#include "varve/api/duty/maintenance_pause.h"

#include <memory>
#include <utility>

#include "varve/api/duty/maintenance_gate.h"

namespace varve {

MaintenancePause::MaintenancePause(std::shared_ptr<MaintenanceGate> gate)
    : gate_(std::move(gate)) {
  gate_->CloseAndWait();
}

MaintenancePause& MaintenancePause::operator=(
    MaintenancePause&& other) noexcept {
  if (this != &other) {
    Resume();
    gate_ = std::move(other.gate_);
  }
  return *this;
}

void MaintenancePause::Resume() {
  if (gate_ == nullptr) return;
  std::exchange(gate_, nullptr)->Open();
}

}  // namespace varve
