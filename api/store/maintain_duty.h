// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_STORE_MAINTAIN_DUTY_H_
#define VARVE_API_STORE_MAINTAIN_DUTY_H_

#include <functional>
#include <memory>
#include <stop_token>

#include "absl/time/time.h"
#include "varve/api/duty/duty.h"
#include "varve/api/duty/maintenance_gate.h"
#include "varve/api/partitions/store_events.h"
#include "varve/api/retention/retention_pass.h"
#include "varve/api/retention/store_size_limit.h"
#include "varve/log/system/clock.h"

namespace varve {

// Has retention check all partitions when that is due, and those that ask for
// it before that (RetentionPass); keeps the store to its size (StoreSizeLimit);
// removes the files of deleted topics. It has the lowest priority.
//
// A check is due one interval after the last one, whichever process made that.
// What is due when the store closes is done then: processes that live shorter
// than an interval, or than it takes this thread to get its turn, would leave
// it undone for ever.
//
// Borrows the pass, the limit, the gate and the clock, which must outlive it.
//
// Thread safety: as Duty.
class MaintainDuty final : public Duty {
 public:
  struct Work {
    RetentionPass* retention = nullptr;
    std::shared_ptr<StoreEvents> events;
    StoreSizeLimit* size_limit = nullptr;  // null: the store has none
    MaintenanceGate* gate = nullptr;       // while it is closed nothing is done
    // Removes what is due of deleted topics; returns when more will be.
    std::function<absl::Time(const std::stop_token&)> delete_topics;
  };

  MaintainDuty(Work work, Clock* clock, absl::Duration check_interval);

  absl::Time Run(const std::stop_token& stop) override;
  void Finish() override;

 private:
  absl::Time RunRetention(const std::stop_token& stop);
  void KeepSize(const std::stop_token& stop);

  // Constant after construction.
  const Work work_;
  Clock* const clock_;
  const absl::Duration check_interval_;

  // Used by `Run` and `Finish` alone.
  absl::Time due_;
  bool wanted_ = false;  // a check of some, before that
};

}  // namespace varve

#endif  // VARVE_API_STORE_MAINTAIN_DUTY_H_
