// SPDX-License-Identifier: Apache-2.0

#include "tools/stop_signal.h"

#include <signal.h>

#include <atomic>

namespace varve {
namespace {

// Memory ordering: relaxed; it orders nothing else.
std::atomic<bool> stop_was_requested = false;
static_assert(std::atomic<bool>::is_always_lock_free,
              "a signal handler may touch nothing else");

void NoteStop(int) {
  stop_was_requested.store(true, std::memory_order_relaxed);
}

}  // namespace

void CatchStopSignals() {
  for (const int number : {SIGINT, SIGTERM}) {
    struct sigaction action = {};
    action.sa_handler = NoteStop;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(number, &action, nullptr);
  }
}

bool StopWasRequested() {
  return stop_was_requested.load(std::memory_order_relaxed);
}

}  // namespace varve
