// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_DUTY_DUTY_THREAD_H_
#define VARVE_API_DUTY_DUTY_THREAD_H_

#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/api/duty/duty.h"
#include "varve/api/duty/duty_bell.h"
#include "varve/log/system/clock.h"

namespace varve {

// The thread of one duty: it runs the duty when it is due or its bell is rung,
// and sleeps in between. It blocks all signals, so no handler of the program
// ever runs on it, and it has a name of its own in debuggers and `top -H`.
//
// It need not be started: `RunOnce` does the same on a thread of the caller's.
//
// Borrows the duty, the bell and the clock, which must outlive it.
//
// Thread safety: thread-safe, but for `Start` and the destructor.
class DutyThread {
 public:
  struct Options {
    std::string name;  // at most 15 bytes, as the kernel has it
    // Added to the program's nice value: larger gives way to other threads.
    // Where the system refuses, the thread runs as the others do. Range: 0 to
    // 19.
    int nice_more = 0;
  };

  DutyThread(const Options& options, Duty* duty, DutyBell* bell, Clock* clock);
  ~DutyThread() { Stop(); }

  DutyThread(const DutyThread&) = delete;
  DutyThread& operator=(const DutyThread&) = delete;

  // Starts the thread, once.
  //
  // Errors: ResourceExhausted when there can be no more threads.
  absl::Status Start();

  // Does what is due on the calling thread, and returns when something will be
  // due next. Returns InfiniteFuture at once while another thread runs the
  // duty, and after `Stop`. May throw std::bad_alloc, as the duty may; on
  // the duty's own thread that is caught, and it runs again a second later.
  absl::Time RunOnce();

  // Asks the duty to end early, ends the thread and waits for it, and for a
  // `RunOnce` under way. Idempotent.
  void Stop();

 private:
  void Run(const std::stop_token& stop);
  absl::Time RunDuty(const std::stop_token& stop);

  // Constant after construction.
  const Options options_;
  Duty* const duty_;
  DutyBell* const bell_;
  Clock* const clock_;

  std::stop_source stop_;  // thread-safe by itself

  // Held while the duty runs.
  absl::Mutex running_;

  // Held while the thread is joined, so that two can `Stop`.
  absl::Mutex joining_ ABSL_ACQUIRED_BEFORE(running_);
  std::thread thread_ ABSL_GUARDED_BY(joining_);
};

}  // namespace varve

#endif  // VARVE_API_DUTY_DUTY_THREAD_H_
