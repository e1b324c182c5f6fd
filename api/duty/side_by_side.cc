// SPDX-License-Identifier: Apache-2.0

#include "varve/api/duty/side_by_side.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "varve/api/duty/store_thread.h"

namespace varve {
namespace {

// The calls of one `Run`, which its threads take from each other.
//
// Thread safety: thread-safe.
class SharedCalls {
 public:
  SharedCalls(int64_t count, absl::FunctionRef<void(int64_t)> call)
      : count_(count), call_(call) {}

  // Makes calls until there are no more.
  void Make() {
    for (int64_t i = Next(); i < count_; i = Next()) {
      try {
        call_(i);
      } catch (...) {
        absl::MutexLock lock(&mu_);
        if (thrown_ == nullptr) thrown_ = std::current_exception();
      }
    }
  }

  // Throws what a call has thrown.
  void Rethrow() {
    absl::MutexLock lock(&mu_);
    if (thrown_ != nullptr) std::rethrow_exception(thrown_);
  }

 private:
  int64_t Next() { return next_.fetch_add(1, std::memory_order_relaxed); }

  const int64_t count_;
  const absl::FunctionRef<void(int64_t)> call_;
  // Memory ordering: relaxed; joining the threads orders what they have done.
  std::atomic<int64_t> next_ = 0;
  absl::Mutex mu_;
  std::exception_ptr thrown_ ABSL_GUARDED_BY(mu_);
};

// Fewer than `count` when there can be no more, or no memory for them.
std::vector<std::thread> StartHelpers(int64_t count, SharedCalls& calls) {
  std::vector<std::thread> threads;
  try {
    threads.reserve(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) {
      absl::StatusOr<std::thread> thread =
          StartStoreThread("varve-helper", [&calls] { calls.Make(); });
      if (!thread.ok()) break;
      threads.push_back(*std::move(thread));
    }
  } catch (const std::bad_alloc&) {
    // Those that were started are enough.
  }
  return threads;
}

}  // namespace

void SideBySide::Run(int64_t count, int64_t busy,
                     absl::FunctionRef<void(int64_t)> call) {
  SharedCalls calls(count, call);
  const int64_t helpers = TakeHelpers(std::min(busy, kThreadsMax) - 1);
  std::vector<std::thread> threads = StartHelpers(helpers, calls);
  calls.Make();
  for (std::thread& thread : threads) thread.join();
  GiveBack(helpers);
  calls.Rethrow();
}

int64_t SideBySide::TakeHelpers(int64_t wanted) {
  absl::MutexLock lock(&mu_);
  const int64_t taken = std::clamp(wanted, int64_t{0}, helpers_left_);
  helpers_left_ -= taken;
  return taken;
}

void SideBySide::GiveBack(int64_t helpers) {
  absl::MutexLock lock(&mu_);
  helpers_left_ += helpers;
}

}  // namespace varve
