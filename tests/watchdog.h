// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_WATCHDOG_H_
#define VARVE_TESTS_WATCHDOG_H_

#include <string>
#include <thread>
#include <utility>

#include "absl/log/log.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace varve {

// Stops the test program, saying why, when it lives longer than `patience`: so
// a test may wait without a deadline for what has to come, and a wait that
// never ends fails.
class Watchdog {
 public:
  Watchdog(absl::Duration patience, std::string what)
      : thread_([this, patience, what = std::move(what)] {
          if (!done_.WaitForNotificationWithTimeout(patience)) {
            LOG(FATAL) << what << " after " << patience;
          }
        }) {}
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog() {
    done_.Notify();
    thread_.join();
  }

 private:
  absl::Notification done_;
  std::thread thread_;
};

}  // namespace varve

#endif  // VARVE_TESTS_WATCHDOG_H_
