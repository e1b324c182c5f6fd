// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_DUTY_STORE_DUTIES_H_
#define VARVE_API_DUTY_STORE_DUTIES_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "varve/api/duty/duty.h"
#include "varve/api/duty/duty_bell.h"
#include "varve/api/duty/duty_thread.h"
#include "varve/log/system/clock.h"

namespace varve {

// A store's background work, each kind on a thread of its own, so that a slow
// disk does not delay populating pages, and deleting old segments does not
// delay syncs:
//
//   varve-prepare   makes room ahead of the appends
//   varve-sync      makes durable what no caller waits for (SyncDuty)
//   varve-maintain  deletes what is too old; gives way to all other threads
//
// Without threads of its own it runs on those that the program lends it by
// `RunDue`.
//
// Owns the duties. Borrows the bells and the clock, which must outlive it.
//
// Thread safety: thread-safe, but for `Add`, `Start` and the destructor.
class StoreDuties {
 public:
  explicit StoreDuties(Clock* clock) : clock_(clock) {}
  ~StoreDuties() { Stop(); }

  StoreDuties(const StoreDuties&) = delete;
  StoreDuties& operator=(const StoreDuties&) = delete;

  // Call it before `Start`.
  void Add(const DutyThread::Options& options, std::unique_ptr<Duty> duty,
           DutyBell* bell);

  // Starts a thread for each duty.
  //
  // Errors: ResourceExhausted when there can be no more threads.
  absl::Status Start();

  // Does what is due of all duties, but for those that another thread runs, and
  // returns the time until something will be due next: ZeroDuration or more.
  absl::Duration RunDue();

  // Asks the duties to end early and waits for all threads that run them.
  // Nothing runs any more then. Idempotent.
  void Stop();

  // Has each duty do what must not wait for the store's next process. Call it
  // once, after `Stop`.
  void Finish();

 private:
  struct Entry {
    std::unique_ptr<Duty> duty;
    std::unique_ptr<DutyThread> thread;
  };

  Clock* const clock_;
  // Constant after the last `Add`.
  std::vector<Entry> entries_;
};

}  // namespace varve

#endif  // VARVE_API_DUTY_STORE_DUTIES_H_
