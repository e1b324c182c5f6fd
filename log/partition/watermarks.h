// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_WATERMARKS_H_
#define VARVE_LOG_PARTITION_WATERMARKS_H_

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "absl/log/check.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/producer_state/partition_producers.h"

namespace varve {

// Where a partition's log starts and ends, and up to where its transactions are
// decided.
//
// Invariant: log start <= durable end <= visible end.
//
// Thread safety: thread-safe; the log sets them under its locks.
class Watermarks {
 public:
  // The ends that recovery leaves: all visible records are durable.
  Watermarks(int64_t log_start, int64_t next_offset)
      : log_start_(log_start), visible_(next_offset), durable_(next_offset) {
    CHECK_LE(log_start, next_offset);
  }

  int64_t log_start() const {
    return log_start_.load(std::memory_order_acquire);
  }
  int64_t durable() const { return durable_.load(std::memory_order_acquire); }
  int64_t visible() const { return visible_.load(std::memory_order_acquire); }

  // Where a read of this level ends.
  int64_t readable(ReadLevel level) const {
    return IsToVisible(level) ? visible() : durable();
  }

  // The same with this isolation: with kReadCommitted not past a record of a
  // transaction that is open, or that a power loss may open again, if the read
  // ends at the durable end. At the log start, when that has passed the first
  // record of such a transaction.
  int64_t readable(ReadLevel level, Isolation isolation) const {
    const int64_t end = readable(level);
    if (isolation == Isolation::kReadUncommitted) return end;
    // After the end: see below.
    const bool is_durable = !IsToVisible(level);
    const int64_t undecided =
        (is_durable ? undecided_durable_ : undecided_visible_)
            .load(std::memory_order_acquire);
    return std::min(end, std::max(undecided, log_start()));
  }

  bool has_weak_appends() const {
    return has_weak_appends_.load(std::memory_order_relaxed);
  }

  void SetLogStart(int64_t offset) {
    CHECK_GE(offset, log_start());
    CHECK_LE(offset, durable());
    log_start_.store(offset, std::memory_order_release);
  }
  void SetDurable(int64_t offset) {
    CHECK_GE(offset, durable());
    CHECK_LE(offset, visible());
    durable_.store(offset, std::memory_order_release);
  }
  // The first offsets of transactions that are not decided. Call it after the
  // marker of one was stored, and before `SetVisible`; and after `SetDurable`.
  void SetUndecided(const UndecidedOffsets& undecided) {
    undecided_visible_.store(undecided.visible, std::memory_order_release);
    undecided_durable_.store(undecided.durable, std::memory_order_release);
  }
  void SetVisible(int64_t offset) {
    DCHECK_GE(offset, visible());
    visible_.store(offset, std::memory_order_release);
  }
  // Notes an append that was weaker than kSynced. Call it before `SetVisible`.
  // Returns whether it is the first: reads of the default level end elsewhere
  // from now on.
  bool NoteWeakAppend() {
    if (has_weak_appends()) return false;
    has_weak_appends_.store(true, std::memory_order_relaxed);
    return true;
  }

 private:
  bool IsToVisible(ReadLevel level) const {
    return level == ReadLevel::kVisible ||
           (level == ReadLevel::kDefault && has_weak_appends());
  }

  // Memory ordering: stored with release before segments below it are removed
  // from the list; a reader that misses its segment loads it again with
  // acquire.
  std::atomic<int64_t> log_start_;
  // Memory ordering: stored with release after the batch is visible in its
  // segment; a reader that loads it with acquire finds every record below it.
  std::atomic<int64_t> visible_;
  // Memory ordering: stored with release after the sync returned; it orders
  // nothing else.
  std::atomic<int64_t> durable_;
  // Memory ordering: a first offset is stored before the end moves past it; and
  // it is taken back when the transaction has its place among the aborted ones,
  // if it belongs there. So a reader loads the end first, with acquire, and
  // then these: whatever it sees below both is decided.
  std::atomic<int64_t> undecided_visible_ = UndecidedOffsets::kNone;
  std::atomic<int64_t> undecided_durable_ = UndecidedOffsets::kNone;
  // Memory ordering: relaxed, set before the visible end moves.
  std::atomic<bool> has_weak_appends_ = false;
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_WATERMARKS_H_
