// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_APPEND_TRIGGER_H_
#define VARVE_LOG_PARTITION_APPEND_TRIGGER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "varve/log/metadata/read_options.h"
#include "varve/log/partition/append_latch.h"
#include "varve/log/partition/watermarks.h"

namespace varve {

// One partition's part in the latch of a reader of many. Armed for an offset
// (PartitionLog::Arm), it sets the latch when a read there, of its level and
// isolation, does not return "not yet" any more, or when the log ends, and is
// not armed any more. So an append pays for one wake-up at most, and for
// nothing while the reader is busy.
//
// Shares the latch.
//
// Thread safety: `is_armed` and `offset` are for the thread that arms it. The
// log that it is armed in does the rest, under its lock.
class AppendTrigger {
 public:
  AppendTrigger(std::shared_ptr<AppendLatch> latch, ReadLevel level,
                Isolation isolation)
      : latch_(std::move(latch)), level_(level), isolation_(isolation) {}

  AppendTrigger(const AppendTrigger&) = delete;
  AppendTrigger& operator=(const AppendTrigger&) = delete;

  // False once it has set the latch: whoever clears the latch first, and then
  // asks, misses nothing.
  bool is_armed() const { return armed_.load(std::memory_order_acquire); }
  // The offset that it was armed for last.
  int64_t offset() const { return offset_; }

 private:
  friend class WatermarkWaiters;

  void Arm(int64_t offset) {
    offset_ = offset;
    armed_.store(true, std::memory_order_release);
  }
  void Disarm() { armed_.store(false, std::memory_order_release); }
  bool IsDue(const Watermarks& ends) const {
    return offset_ < ends.readable(level_, isolation_);
  }
  void Fire() {
    Disarm();
    latch_->Set();
  }

  const std::shared_ptr<AppendLatch> latch_;
  const ReadLevel level_;
  const Isolation isolation_;
  // Written by the thread that arms it, with the lock of the log.
  int64_t offset_ = 0;
  // Memory ordering: stored with release before the latch is set, and loaded
  // with acquire after it was cleared.
  std::atomic<bool> armed_ = false;
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_APPEND_TRIGGER_H_
