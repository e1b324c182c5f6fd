// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_INDEX_OFFSET_INDEX_H_
#define VARVE_INDEX_OFFSET_INDEX_H_

#include <atomic>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace varve {

// Where a search begins: the batch at `position` has `offset` as its last
// offset.
struct OffsetPosition {
  int64_t offset = 0;
  int64_t position = 0;  // byte in the segment's .log

  friend bool operator==(const OffsetPosition&,
                         const OffsetPosition&) = default;
};

// The sparse offset index of one segment: where in its .log is offset N?
// Kafka's .index, entry by entry of 8 bytes; index/FORMAT.md has the bytes.
//
// It works on bytes that the caller owns and that outlive it: a mapped file, or
// memory. It does no I/O and knows no records.
//
// Thread safety: one writer (Append) and many readers (all const methods),
// without a lock. Truncate must not run beside either.
class OffsetIndex {
 public:
  static constexpr int kEntrySize = 8;

  // An index over `bytes`, of which the first `entry_count` entries are in use;
  // the capacity is what fits into `bytes`. The entries are not checked: call
  // SanityCheck before trusting them. Whatever they hold, no method reads
  // outside `bytes`.
  //
  // Precondition: `base_offset` is 0 or more and `entry_count` within capacity.
  OffsetIndex(int64_t base_offset, absl::Span<char> bytes, int64_t entry_count);

  OffsetIndex(const OffsetIndex&) = delete;
  OffsetIndex& operator=(const OffsetIndex&) = delete;

  // Adds the entry for a batch: its LAST offset, and the position where it
  // begins.
  //
  // Errors: ResourceExhausted when the index is full; OutOfRange when
  // offset - base, or position, is not within 0 to 2^31-1; InvalidArgument
  // when one of the two is not greater than the last entry's. Nothing is
  // changed then.
  absl::Status Append(int64_t offset, int64_t position);

  // The entry with the largest offset that is `offset` or less: the batch that
  // holds `offset`, if any, begins at its position or after it. {base offset,
  // 0} when there is none. O(log entries); the entries of the last 8 KiB are
  // tried first, because consumers mostly read near the end.
  OffsetPosition Lookup(int64_t offset) const;

  // Drops the entries with `offset` or more.
  void Truncate(int64_t offset);

  // Checks every entry.
  //
  // Errors: DataLoss with the number of the first entry, counted from 0, that
  // has a negative field or does not grow in both fields.
  absl::Status SanityCheck() const;

  // The last entry; {base offset, 0} when there is none.
  OffsetPosition last_entry() const;

  // Entry `i`, from 0. Precondition: 0 <= i < entry_count().
  OffsetPosition entry(int64_t i) const;

  int64_t entry_count() const {
    return entry_count_.load(std::memory_order_acquire);
  }
  int64_t capacity() const { return capacity_; }
  bool is_full() const { return entry_count() >= capacity_; }

  // Bytes in use: the length of the file when the segment is sealed.
  int64_t size_bytes() const { return entry_count() * kEntrySize; }

  int64_t base_offset() const { return base_offset_; }

 private:
  OffsetPosition EntryAt(int64_t i) const;
  int64_t CountUpTo(int64_t offset, int64_t count) const;

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

#endif  // VARVE_INDEX_OFFSET_INDEX_H_
