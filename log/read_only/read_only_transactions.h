// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_READ_ONLY_READ_ONLY_TRANSACTIONS_H_
#define VARVE_LOG_READ_ONLY_READ_ONLY_TRANSACTIONS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/producer/ended_transactions.h"
#include "varve/log/producer/producer_states.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The transactions of a partition whose writer, if there is one, is another
// process: which are open, and which were aborted. It knows them as the writer
// does, from what the writer has left on disk (log/FORMAT.md, "Producer
// state"): the newest `.snapshot`, the `.txnindex` files before it, and the
// batches after it, which the caller reads and notes.
//
//   transactions.Load(directory, bounds);
//   … read the batches from transactions.noted_end() on …
//   transactions.Note(batches, next_offset);
//   … read records up to transactions.last_stable_offset() …
//   transactions.LeaveOutAborted(view);
//
// Nothing above the recovery point is believed of these files: what is there
// now may not be what a power loss leaves, and its markers are not durable.
//
// All that it knows it keeps in memory, 32 bytes for each transaction that was
// aborted between log start and end: so a log cleaner or a retention that
// replaces files meanwhile takes nothing from it.
//
// Thread safety: externally synchronized.
class ReadOnlyTransactions {
 public:
  // Aborted transactions that are kept at most. Kafka has no such limit.
  static constexpr size_t kAbortedMax = size_t{1} << 22;

  struct Bounds {
    absl::Span<const int64_t> segment_bases;  // ascending
    int64_t log_start = 0;
    int64_t recovery_point = 0;
    int64_t end = 0;
  };

  // Reads the files, once, before anything else. What it cannot read, a
  // snapshot or an index that is damaged, the batches have to say: `noted_end`
  // is then further back.
  //
  // Errors: Unavailable when a file is gone
  // since the directory was listed: try again. ResourceExhausted for more than
  // kAbortedMax transactions, or when memory or descriptors run out. Other file
  // errors (log/system/errno_status.h).
  absl::Status Load(Directory& directory, const Bounds& bounds);

  // After `Load`, unless the log begins at `noted_end`: the batch that ends
  // there. Not empty.
  void NoteBefore(std::string_view batches);

  // Up to where the log is known.
  int64_t noted_end() const { return noted_end_; }

  // Whether the batches, which begin where those noted end, may go on with the
  // same log. Not after a recovery by another writer: it may have cut what was
  // noted. `batches` are whole and not empty.
  bool IsContinuedBy(std::string_view batches) const;

  // The batches to be noted next are of the segment that begins at
  // `base_offset`. If they are its first, goes on with the snapshot there, if
  // there is a sound one up to the recovery point: it may know more than the
  // batches did, of which some may have been damaged, or compacted away.
  // Errors: file errors.
  struct Base {
    int64_t offset = 0;
    int64_t recovery_point = 0;
  };
  absl::Status PassBase(Directory& directory, const Base& base);

  // Notes batches that come after those noted, up to the offset
  // `next_offset`: whole ones, which were checked. Empty when there is none up
  // to there.
  //
  // Errors: ResourceExhausted for more than kAbortedMax transactions.
  absl::Status Note(std::string_view batches, int64_t next_offset);

  // Everything below `durable_end` is durable, and nothing below `log_start` is
  // read any more.
  struct Progress {
    int64_t durable_end = 0;
    int64_t log_start = 0;
  };
  void Advance(const Progress& progress);

  // Up to where the transactions are decided, and at most `noted_end`. With
  // kDurable those are open whose markers are not durable.
  enum class Markers { kVisible, kDurable };
  int64_t last_stable_offset(Markers markers) const;

  // Whether the view, which ends at or below a last stable offset, shows the
  // batches that were noted, and not those of a later writer.
  bool HasNoted(const RecordBatches& view) const;

  // Has the view leave out the records of aborted transactions. Precondition:
  // it ends at or below a last stable offset.
  void LeaveOutAborted(RecordBatches& view) const;

 private:
  absl::StatusOr<std::optional<int64_t>> LoadIndexes(
      Directory& directory, absl::Span<const int64_t> base_offsets,
      const Bounds& bounds);
  absl::Status AddAborted(const AbortedTransaction& transaction);
  std::vector<AbortedTransaction> FindOverlapping(
      const OffsetRange& range) const;

  int64_t noted_end_ = 0;
  int64_t passed_base_ = 0;  // of the segment in which it has begun, or come to
  // Of the last batch before `noted_end_`; none in an empty log.
  std::optional<int32_t> leader_epoch_;
  ProducerStates states_;
  EndedTransactions ended_;
  // In the order of their markers, each of which is there once.
  std::vector<AbortedTransaction> aborted_;
};

}  // namespace varve

#endif  // VARVE_LOG_READ_ONLY_READ_ONLY_TRANSACTIONS_H_
