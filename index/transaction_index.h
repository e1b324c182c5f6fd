// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_INDEX_TRANSACTION_INDEX_H_
#define VARVE_INDEX_TRANSACTION_INDEX_H_

#include <atomic>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace varve {

// A transaction that was aborted. A producer has one transaction at a time, so
// its records from `first_offset` to `last_offset` are those of this one.
struct AbortedTransaction {
  int64_t producer_id = -1;
  int64_t first_offset = 0;  // of its first batch; may be in an earlier segment
  int64_t last_offset = 0;   // of its ABORT marker
  // Below this offset every transaction had ended when the marker was appended:
  // the first offset of the earliest transaction that was still open, else the
  // offset after the marker.
  int64_t last_stable_offset = 0;

  friend bool operator==(const AbortedTransaction&,
                         const AbortedTransaction&) = default;
};

// The offsets from `from` to before `to`.
struct OffsetRange {
  int64_t from = 0;
  int64_t to = 0;
};

// The aborted transactions whose markers are in one segment: which batches must
// a reader of committed records pass over? Kafka's .txnindex, entry by entry of
// 34 bytes; index/FORMAT.md has the bytes. A segment without an aborted
// transaction has no such file.
//
// It works on bytes that the caller owns and that outlive it: a mapped file, or
// memory. It does no I/O and knows no records. Its capacity is what fits into
// the bytes; for more, make another one over more bytes.
//
// Thread safety: one writer (Append) and many readers (all const methods),
// without a lock. Truncate must not run beside either.
class TransactionIndex {
 public:
  static constexpr int kEntrySize = 34;

  // An index over `bytes`, of which the first `entry_count` entries are in use.
  // The entries are not checked: call SanityCheck before trusting them.
  // Whatever they hold, no method reads outside `bytes`.
  //
  // Precondition: `base_offset` is 0 or more and `entry_count` within capacity.
  TransactionIndex(int64_t base_offset, absl::Span<char> bytes,
                   int64_t entry_count);

  TransactionIndex(const TransactionIndex&) = delete;
  TransactionIndex& operator=(const TransactionIndex&) = delete;

  // Adds the entry of a transaction, when its ABORT marker is appended.
  //
  // Errors: ResourceExhausted when the index is full; InvalidArgument for an
  // entry that SanityCheck would not accept after those that are there. Nothing
  // is changed then.
  absl::Status Append(const AbortedTransaction& transaction);

  // Whether `FindOverlapping` has found all there are.
  enum class Search {
    kComplete,  // no later segment has another one
    kContinue,  // go on in the index of the next segment, if there is one
  };

  // Adds to `found` the transactions with offsets in the range, in the order of
  // their markers. A marker may lie far behind the range: begin in the segment
  // that holds `from`, and go on through the later ones, those without an index
  // included, until one says kComplete, or there is no other.
  //
  // It stops, by Kafka's rule, after the first entry whose last stable offset
  // is `to` or more: what was still open then, or began later, lies behind the
  // range. O(log entries) to the first that is found.
  //
  // Precondition: `from` is at most `to`, and `to` at most the last stable
  // offset of the log: above it transactions are open, and those are in no
  // index.
  Search FindOverlapping(const OffsetRange& range,
                         std::vector<AbortedTransaction>& found) const;

  // Drops the transactions whose markers have `offset` or more.
  void Truncate(int64_t offset);

  // Checks every entry.
  //
  // Errors: DataLoss with the number of the first entry, counted from 0, and
  // what is wrong: a version that is not 0; a producer id or a first offset
  // below 0; a last offset that is below the base, not above the first offset,
  // or not above that of the entry before; a last stable offset that is not
  // within 0 to one after the last offset. Zeros are no entry. Make the index
  // again from the log then.
  absl::Status SanityCheck() const;

  // Entry `i`, from 0. Precondition: 0 <= i < entry_count().
  AbortedTransaction entry(int64_t i) const;

  int64_t entry_count() const {
    return entry_count_.load(std::memory_order_acquire);
  }
  int64_t capacity() const { return capacity_; }
  bool is_full() const { return entry_count() >= capacity_; }

  // Bytes in use: the length of the file, which is how Kafka counts entries.
  int64_t size_bytes() const { return entry_count() * kEntrySize; }

  int64_t base_offset() const { return base_offset_; }

 private:
  AbortedTransaction EntryAt(int64_t i) const;
  int64_t CountBelow(int64_t offset, int64_t count) const;
  const char* DefectOf(const AbortedTransaction& entry,
                       int64_t last_offset_before) const;

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

#endif  // VARVE_INDEX_TRANSACTION_INDEX_H_
