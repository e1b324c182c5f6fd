// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/stop_signal.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace varve {
namespace {

// Memory ordering: relaxed; it orders nothing else.
std::atomic<int> stop_signal = 0;
static_assert(std::atomic<int>::is_always_lock_free,
              "a signal handler may touch nothing else");

// A pipe that the handler writes to. Set before there is a handler.
int stop_pipe[2] = {-1, -1};

void NoteStop(int number) {
  const int errno_before = errno;
  int none = 0;
  stop_signal.compare_exchange_strong(none, number, std::memory_order_relaxed);
  // A full pipe is readable too.
  (void)!write(stop_pipe[1], "", 1);
  errno = errno_before;
}

}  // namespace

void CatchStopSignals() {
  // Without a pipe nothing is caught, and a signal ends the program as usual.
  if (stop_pipe[0] < 0 && pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) != 0) return;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before = {};
    if (sigaction(number, nullptr, &before) == 0 &&
        before.sa_handler == SIG_IGN) {
      continue;
    }
    struct sigaction action = {};
    action.sa_handler = NoteStop;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
    sigaction(number, &action, nullptr);
  }
}

bool StopWasRequested() { return StopSignal() != 0; }

int StopSignal() { return stop_signal.load(std::memory_order_relaxed); }

int StopDescriptor() { return stop_pipe[0]; }

int ExitStatusOf(int signal) { return 128 + signal; }

}  // namespace varve
