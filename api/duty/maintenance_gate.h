// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_DUTY_MAINTENANCE_GATE_H_
#define VARVE_API_DUTY_MAINTENANCE_GATE_H_

#include <cstdint>
#include <functional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace varve {

// Lets maintenance, what deletes and compacts, go on, or keeps it waiting
// (MaintenancePause): whoever does a part of it holds a Work meanwhile, and
// gives it up soon once `is_closed`.
//
// Thread safety: thread-safe.
class MaintenanceGate {
 public:
  // `on_open` is called when the gate opens again, by the thread that opens it;
  // null: nothing.
  explicit MaintenanceGate(std::function<void()> on_open = nullptr)
      : on_open_(std::move(on_open)) {}

  // A part of the maintenance, from its construction on.
  class Work {
   public:
    explicit Work(MaintenanceGate* gate)
        : gate_(gate), may_run_(gate->Enter()) {}
    ~Work() {
      if (may_run_) gate_->Leave();
    }
    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;
    // Whether it may be done now.
    bool may_run() const { return may_run_; }

   private:
    MaintenanceGate* const gate_;
    const bool may_run_;
  };

  bool is_closed() const ABSL_LOCKS_EXCLUDED(mu_);

  // Closes it, and waits for the Work under way. As often as it was closed it
  // has to be opened.
  void CloseAndWait() ABSL_LOCKS_EXCLUDED(mu_);
  void Open() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  bool Enter() ABSL_LOCKS_EXCLUDED(mu_);
  void Leave() ABSL_LOCKS_EXCLUDED(mu_);

  const std::function<void()> on_open_;

  mutable absl::Mutex mu_;
  int64_t closed_count_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t working_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace varve

#endif  // VARVE_API_DUTY_MAINTENANCE_GATE_H_
