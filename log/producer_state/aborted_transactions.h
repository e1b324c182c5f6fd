// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PRODUCER_STATE_ABORTED_TRANSACTIONS_H_
#define VARVE_LOG_PRODUCER_STATE_ABORTED_TRANSACTIONS_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "varve/index/transaction_index.h"
#include "varve/log/producer_state/segment_transactions.h"

namespace varve {

// The aborted transactions of a partition: those of its `.txnindex` files,
// which are read when they are first needed, and those whose markers were
// appended since.
//
// Thread safety: thread-safe. No file is read with the lock held.
class AbortedTransactions {
 public:
  // Reads the index of the segment with this base offset, or makes it again
  // from the log when it is damaged: the entries, as ReadTransactionIndex
  // returns them.
  using Load = absl::AnyInvocable<absl::StatusOr<std::string>(
      int64_t base_offset) const>;

  // `with_file`: the base offsets of the segments that have a file.
  AbortedTransactions(const std::vector<int64_t>& with_file, Load load);

  // Whether there is none, and so nothing to be found. An append that adds one
  // has done so before its records, and those of the transaction, are stable.
  bool empty() const { return is_empty_.load(std::memory_order_acquire); }

  // Adds to `found` those that have offsets in the range, in the order of their
  // markers. Precondition: `to` is at most the last stable offset, as it was
  // before the call.
  //
  // Errors: those of `Load`: file errors.
  absl::Status FindOverlapping(const OffsetRange& range,
                               std::vector<AbortedTransaction>& found);

  // Has the index of a segment in memory, so that `Add` to it reads no file.
  // Call it before the segment is appended to. Errors: those of `Load`.
  absl::Status Open(int64_t base_offset);

  // Makes room for one more in the segment, so that `Add` allocates nothing.
  // Precondition: it is open, or has no file.
  void Reserve(int64_t base_offset);

  // Adds one whose marker is in this segment. Precondition: `Reserve`.
  void Add(int64_t base_offset, const AbortedTransaction& transaction);

  // Whether the segment's file does not hold what it should.
  bool IsChanged(int64_t base_offset);

  // The contents that the segment's file should hold now; empty for none.
  // Precondition: as of `Reserve`.
  std::string Entries(int64_t base_offset);

  // The file of the segment holds what `Entries` returned: from now on it can
  // be dropped from memory, and read again.
  void NoteWritten(int64_t base_offset);

  // Segments that begin in the range were replaced by these: their files have
  // what is left. Views of the old ones were looked up before.
  void Replace(const OffsetRange& range, absl::Span<const int64_t> by);

  // Forgets the segments that begin below `base_offset`: they were deleted.
  void ForgetBefore(int64_t base_offset);

 private:
  // What is read and not changed is kept up to this much.
  static constexpr int64_t kLoadedBytesMax = int64_t{16} << 20;

  struct Entry {
    std::unique_ptr<SegmentTransactions> transactions = {};  // null: not read
    bool has_file = false;  // and it holds the same
    bool is_open = false;   // it is appended to
  };

  absl::StatusOr<std::unique_ptr<SegmentTransactions>> Read(
      int64_t base_offset) const;
  void Put(int64_t base_offset, std::unique_ptr<SegmentTransactions> read)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void KeepLimit() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  SegmentTransactions& Open(Entry& entry, int64_t base_offset)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Load load_;

  absl::Mutex mu_;
  std::map<int64_t, Entry> segments_ ABSL_GUARDED_BY(mu_);  // by base offset
  // Memory ordering: released after the first transaction was added, before the
  // last stable offset passes it; a reader acquires that offset first.
  std::atomic<bool> is_empty_;
};

}  // namespace varve

#endif  // VARVE_LOG_PRODUCER_STATE_ABORTED_TRANSACTIONS_H_
