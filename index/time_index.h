// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_INDEX_TIME_INDEX_H_
#define VARVE_INDEX_TIME_INDEX_H_

#include <atomic>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace varve {

// `offset` is the last offset of the earliest batch whose largest timestamp is
// `timestamp_ms`; no record before that batch has a later timestamp.
struct TimestampOffset {
  int64_t timestamp_ms = -1;
  int64_t offset = 0;

  friend bool operator==(const TimestampOffset&,
                         const TimestampOffset&) = default;
};

// The sparse time index of one segment: from which offset on are records of
// time T? Kafka's .timeindex, entry by entry of 12 bytes; index/FORMAT.md has
// the bytes. Timestamps are largest-so-far, so they grow though those of the
// records need not.
//
// It works on bytes that the caller owns and that outlive it: a mapped file, or
// memory. It does no I/O and knows no records.
//
// Thread safety: one writer (MaybeAppend) and many readers (all const methods),
// without a lock. Truncate must not run beside either.
class TimeIndex {
 public:
  static constexpr int kEntrySize = 12;

  // One slot is kept free for the largest timestamp of the whole segment, which
  // is added when the segment is sealed.
  enum class Slot {
    kOrdinary,  // not the kept one
    kFinal,     // any, the kept one included
  };

  // An index over `bytes`, of which the first `entry_count` entries are in use;
  // the capacity is what fits into `bytes`. The entries are not checked: call
  // SanityCheck before trusting them. Whatever they hold, no method reads
  // outside `bytes`.
  //
  // Precondition: `base_offset` is 0 or more and `entry_count` within capacity.
  TimeIndex(int64_t base_offset, absl::Span<char> bytes, int64_t entry_count);

  TimeIndex(const TimeIndex&) = delete;
  TimeIndex& operator=(const TimeIndex&) = delete;

  // Adds an entry if `timestamp_ms` is greater than the last entry's (-1 for
  // no entry); otherwise does nothing, whatever `offset` is.
  //
  // Errors, when there is an entry to add: ResourceExhausted when no slot of
  // this kind is free; OutOfRange when offset - base is not within 0 to
  // 2^31-1; InvalidArgument when `offset` is less than the last entry's.
  // Nothing is changed then.
  absl::Status MaybeAppend(int64_t timestamp_ms, int64_t offset, Slot slot);

  // The entry with the largest timestamp that is `timestamp_ms` or less: the
  // first record of that time or later, if any, lies at its offset or after it,
  // or in the batch that ends there. {-1, base offset} when there is none.
  // O(log entries), warm end first as in `OffsetIndex`.
  TimestampOffset Lookup(int64_t timestamp_ms) const;

  // The result of `Lookup`, and the entry before it; {-1, base offset} for one
  // that does not exist.
  //
  // For callers that must be right even if an entry is damaged. An entry whose
  // offset has become that of a later batch with the same timestamp agrees with
  // that batch, and hides the batches between; the entry before it still covers
  // all of them. So: no record of that time or later lies before the earlier of
  // the batches of these two, when both agree with their entries and at most
  // one bit is wrong.
  struct Pair {
    TimestampOffset found;
    TimestampOffset before;
  };
  Pair LookupPair(int64_t timestamp_ms) const;

  // Drops the entries with `offset` or more.
  void Truncate(int64_t offset);

  // Checks every entry.
  //
  // Errors: DataLoss with the number of the first entry, counted from 0, whose
  // timestamp is negative or does not grow, or whose offset is below the base
  // or shrinks.
  absl::Status SanityCheck() const;

  // The last entry; {-1, base offset} when there is none.
  TimestampOffset last_entry() const;

  // Entry `i`, from 0. Precondition: 0 <= i < entry_count().
  TimestampOffset entry(int64_t i) const;

  int64_t entry_count() const {
    return entry_count_.load(std::memory_order_acquire);
  }
  int64_t capacity() const { return capacity_; }

  // Whether no ordinary slot is free, so that the segment has to roll.
  bool is_full() const { return entry_count() >= capacity_ - 1; }

  // Bytes in use: the length of the file when the segment is sealed.
  int64_t size_bytes() const { return entry_count() * kEntrySize; }

  int64_t base_offset() const { return base_offset_; }

 private:
  TimestampOffset EntryAt(int64_t i) const;
  int64_t CountUpTo(int64_t timestamp_ms, int64_t count) const;

  // Constant after construction.
  const int64_t base_offset_;
  char* const entries_;
  const int64_t capacity_;

  // Memory ordering: the writer stores the bytes of an entry first, then
  // releases the count that covers it; a reader acquires the count and reads no
  // entry after it.
  std::atomic<int64_t> entry_count_;
};

}  // namespace varve

#endif  // VARVE_INDEX_TIME_INDEX_H_
