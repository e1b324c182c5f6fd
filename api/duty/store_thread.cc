// SPDX-License-Identifier: Apache-2.0

#include "varve/api/duty/store_thread.h"

#include <pthread.h>
#include <signal.h>

#include <functional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace varve {

absl::StatusOr<std::thread> StartStoreThread(const std::string& name,
                                             std::function<void()> body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  // Also when there is no memory for the thread, which throws.
  const absl::Cleanup restore = [&before] {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  };
  try {
    return std::thread([name, body = std::move(body)] {
      pthread_setname_np(pthread_self(), name.c_str());
      body();
    });
  } catch (const std::system_error& error) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a thread cannot be started: ", error.what()));
  }
}

}  // namespace varve
