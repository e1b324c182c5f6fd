// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_COUNTER_H_
#define VARVE_LOG_COUNTER_H_

#include <atomic>
#include <cstdint>

namespace varve {

// A number that any thread adds to: how often something happened, or, when
// less is added too, how many there are now. For what is not done at every
// append: each addition is an atomic one, 5 ns and more.
//
// Thread safety: thread-safe.
class Counter {
 public:
  void Add(int64_t amount = 1) {
    value_.fetch_add(amount, std::memory_order_relaxed);
  }

  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  // Memory ordering: relaxed; a count orders nothing.
  std::atomic<int64_t> value_ = 0;
};

}  // namespace varve

#endif  // VARVE_LOG_COUNTER_H_
