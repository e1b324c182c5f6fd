// SPDX-License-Identifier: Apache-2.0

#include "varve/api/duty/duty_thread.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <stop_token>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/api/duty/duty.h"
#include "varve/api/duty/duty_bell.h"
#include "varve/api/duty/store_thread.h"
#include "varve/log/system/clock.h"

namespace varve {
namespace {

// The time until a duty that ran out of memory is run again.
constexpr absl::Duration kWithoutMemory = absl::Seconds(1);

// On Linux a nice value belongs to a thread: the calling one here. Neither of
// the calls is needed for the duty to be done.
void BeNice(int nice_more) {
  if (nice_more == 0) return;
  const id_t thread = static_cast<id_t>(gettid());
  errno = 0;
  const int nice_now = getpriority(PRIO_PROCESS, thread);
  if (errno == 0) setpriority(PRIO_PROCESS, thread, nice_now + nice_more);
}

}  // namespace

DutyThread::DutyThread(const Options& options, Duty* duty, DutyBell* bell,
                       Clock* clock)
    : options_(options), duty_(duty), bell_(bell), clock_(clock) {}

absl::Status DutyThread::Start() {
  absl::StatusOr<std::thread> thread = StartStoreThread(
      options_.name, [this, stop = stop_.get_token()] { Run(stop); });
  if (!thread.ok()) return thread.status();
  absl::MutexLock lock(&joining_);
  thread_ = *std::move(thread);
  return absl::OkStatus();
}

void DutyThread::Run(const std::stop_token& stop) {
  BeNice(options_.nice_more);
  while (!stop.stop_requested()) {
    absl::Time due;
    {
      absl::MutexLock lock(&running_);
      due = RunDuty(stop);
    }
    bell_->Wait(due - clock_->Steady());
  }
}

// An exception would end the program, which may well get memory again.
absl::Time DutyThread::RunDuty(const std::stop_token& stop) {
  try {
    return duty_->Run(stop);
  } catch (const std::bad_alloc&) {
    return clock_->Steady() + kWithoutMemory;
  }
}

absl::Time DutyThread::RunOnce() {
  if (!running_.TryLock()) return absl::InfiniteFuture();
  const std::stop_token stop = stop_.get_token();
  absl::Time due = absl::InfiniteFuture();
  try {
    if (!stop.stop_requested()) due = duty_->Run(stop);
  } catch (...) {
    running_.Unlock();
    throw;
  }
  running_.Unlock();
  return due;
}

void DutyThread::Stop() {
  stop_.request_stop();
  bell_->Ring();
  absl::MutexLock lock(&joining_);
  if (thread_.joinable()) thread_.join();
  absl::MutexLock idle(&running_);
}

}  // namespace varve
