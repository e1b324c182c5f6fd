// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METERS_COUNTER_H_
#define VARVE_LOG_METERS_COUNTER_H_

#include <atomic>
#include <cstdint>

namespace varve {

// A number that any thread adds to: how often something happened, or, with
// negative amounts, how many there currently are. Not for use at every append:
// each addition is atomic and takes 5 ns or more.
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

#endif  // VARVE_LOG_METERS_COUNTER_H_
