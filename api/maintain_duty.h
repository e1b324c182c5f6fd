// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_MAINTAIN_DUTY_H_
#define VARVE_API_MAINTAIN_DUTY_H_

#include <functional>
#include <memory>
#include <stop_token>

#include "absl/time/time.h"
#include "api/duty.h"
#include "api/retention_pass.h"
#include "api/store_events.h"
#include "log/clock.h"

namespace varve {

// Has retention look at all partitions in time, and at those that call for it
// before that (RetentionPass); removes the files of deleted topics. It has the
// lowest priority.
//
// A look is due one interval after the last one, whichever process of the
// store's made that. What is due when the store closes is done then: processes
// that live shorter than an interval, or than it takes this thread to get its
// turn, would leave it undone for ever.
//
// Borrows the pass and the clock, which must outlive it.
//
// Thread safety: as Duty.
class MaintainDuty final : public Duty {
 public:
  struct Work {
    RetentionPass* retention = nullptr;
    std::shared_ptr<StoreEvents> events;
    // Removes what is due of deleted topics; returns when more will be.
    std::function<absl::Time(const std::stop_token&)> delete_topics;
  };

  MaintainDuty(Work work, Clock* clock, absl::Duration check_interval);

  absl::Time Run(const std::stop_token& stop) override;
  void Finish() override;

 private:
  absl::Time RunRetention(const std::stop_token& stop);

  // Constant after construction.
  const Work work_;
  Clock* const clock_;
  const absl::Duration check_interval_;

  // Used by `Run` and `Finish` alone.
  absl::Time due_;
  bool wanted_ = false;  // a look at some, before that
};

}  // namespace varve

#endif  // VARVE_API_MAINTAIN_DUTY_H_
