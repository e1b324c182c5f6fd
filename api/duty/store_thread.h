// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_DUTY_STORE_THREAD_H_
#define VARVE_API_DUTY_STORE_THREAD_H_

#include <functional>
#include <string>
#include <thread>

#include "absl/status/statusor.h"

namespace varve {

// Starts a thread of a store. It blocks all signals, so no handler of the
// program ever runs on it, and it has a name of its own, of at most 15 bytes,
// in debuggers and `top -H`. The caller joins it.
//
// Errors: ResourceExhausted when there can be no more threads.
absl::StatusOr<std::thread> StartStoreThread(const std::string& name,
                                             std::function<void()> body);

}  // namespace varve

#endif  // VARVE_API_DUTY_STORE_THREAD_H_
