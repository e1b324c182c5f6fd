// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METERS_SINGLE_WRITER_COUNTER_H_
#define VARVE_LOG_METERS_SINGLE_WRITER_COUNTER_H_

#include <atomic>
#include <cstdint>

#include "absl/log/check.h"

namespace varve {

// A number that one thread at a time adds to, because it holds a lock or owns
// the counter (as in ReadMeter), and any thread reads. An addition is a plain
// load and store.
//
// Thread safety: `Add` is externally synchronized, `value` thread-safe.
class SingleWriterCounter {
 public:
  void Add(int64_t amount = 1) {
    DCHECK_GE(amount, 0);
    value_.store(value_.load(std::memory_order_relaxed) + amount,
                 std::memory_order_relaxed);
  }

  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  // Memory ordering: relaxed; a count orders nothing, and the callers order the
  // writers among themselves.
  std::atomic<int64_t> value_ = 0;
};

}  // namespace varve

#endif  // VARVE_LOG_METERS_SINGLE_WRITER_COUNTER_H_
