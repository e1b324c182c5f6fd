// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_COMPACTION_BATCH_CLEANER_H_
#define VARVE_LOG_COMPACTION_BATCH_CLEANER_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/compaction/batch_rewriter.h"
#include "varve/log/compaction/cleaned_transactions.h"
#include "varve/log/compaction/compaction_stats.h"
#include "varve/log/compaction/last_batches.h"
#include "varve/log/compaction/offset_map.h"
#include "varve/log/compaction/record_retention.h"

namespace varve {

// Where the batches that stay go: the writer of the cleaned segment.
class CleanedBatchSink {
 public:
  virtual ~CleanedBatchSink() = default;

  // The next batch, whose bytes are valid during the call alone. An ABORT
  // marker comes with the entry that the transaction index of the same segment
  // has to have.
  //
  // Errors: whatever it cannot do; the cleaning ends with that.
  virtual absl::Status Append(
      const RecordBatch& batch,
      const std::optional<AbortedTransaction>& index_entry) = 0;
};

// Removes from a log what its compaction removes: the second half of it, after
// DirtyKeys has filled the map. It walks over all batches from the log's first
// segment on, up to the end of the segment that holds the last mapped record,
// and hands on what stays. Kafka's Cleaner.cleanInto, and what it calls in
// MemoryRecords.filterTo. Offsets never change.
//
// What is left of a batch:
//
//  - Data of which all records stay, and no horizon is needed: its bytes.
//  - Data of which some stay, or with tombstones that have no horizon yet: a
//    batch written anew.
//  - Data of which none stays, or of an aborted transaction: nothing, or its
//    header.
//  - A marker of a transaction with batches here: its bytes.
//  - Another marker: without a horizon, it is written anew with one; before
//    that has come, its bytes; after that, nothing, or its header.
//  - Any other control batch: its bytes.
//
// Which records stay is said in log/compaction/record_retention.h. Only the
// header is left, rather than nothing, of a batch that is in `last_batches`, or
// that ends where the compaction ends (`range_end`), so that the offsets before
// the next segment show that something was there.
//
// Phases: the pass that first finds a tombstone to be the last of its key, or a
// marker without a batch, sets the horizon of the batch to `now_ms` +
// `delete_retention_ms`; the pass that first runs at that time or later removes
// it. Until then a reader that has seen an older value is told. A horizon never
// moves.
//
// Thread safety: externally synchronized.
class BatchCleaner {
 public:
  struct Options {
    // CleanableRange::end.
    int64_t range_end = 0;
    // What DirtyKeys::Finish has returned.
    int64_t mapped_end = 0;
    int64_t now_ms = 0;               // wall clock; 0 or more
    int64_t delete_retention_ms = 0;  // delete.retention.ms
    // Null: compressed batches that have to be read end the cleaning.
    const Codecs* codecs = nullptr;
  };

  // Precondition: `keys`, `last_batches` and the codecs outlive it, and the
  // map is not changed.
  BatchCleaner(const Options& options, const OffsetMap& keys,
               const LastBatches& last_batches);

  // As CleanedTransactions::AddAborted: those that overlap the next segment.
  void AddAborted(absl::Span<const AbortedTransaction> aborted) {
    transactions_.AddAborted(aborted);
  }

  // Cleans whole batches, one after the other, and hands what stays to `sink`.
  // It may be called for each segment, or for any part of one that ends at a
  // batch; between two calls the caller may wait, or give up.
  //
  // Precondition: it has not failed.
  // Errors, after which the log is to stay as it is: DataLoss for damage, and
  // for batches that do not follow those before or reach past the range;
  // Unimplemented when a codec is missing; ResourceExhausted for a batch that
  // decompresses to more than Codecs::decompressed_size_max, or exceeds
  // kBatchSizeMax when written anew; those of the sink.
  absl::Status Clean(std::string_view batches, CleanedBatchSink& sink);

  const CleaningStats& stats() const { return stats_; }

 private:
  // What stays of the records of one batch.
  struct Filtered {
    bool all_stay = true;
    bool has_tombstone = false;
  };

  absl::Status CleanBatch(const RecordBatch& batch, CleanedBatchSink& sink);
  absl::Status CleanMarker(const RecordBatch& batch,
                           const CleanedTransaction& transaction,
                           CleanedBatchSink& sink);
  absl::Status CleanData(const RecordBatch& batch, CleanedBatchSink& sink);
  absl::Status SetMarkerHorizon(const RecordBatch& batch,
                                CleanedBatchSink& sink);
  absl::StatusOr<Filtered> Filter(const RecordBatch& batch);
  void CountFate(RecordFate fate);
  absl::Status RemoveRecords(const RecordBatch& batch, CleanedBatchSink& sink);
  absl::Status Copy(const RecordBatch& batch, CleanedBatchSink& sink,
                    const std::optional<AbortedTransaction>& index_entry = {});
  absl::Status Rewrite(const RecordBatch& batch,
                       std::optional<int64_t> new_horizon_ms,
                       CleanedBatchSink& sink);
  absl::Status HandOver(const RecordBatch& batch, CleanedBatchSink& sink,
                        const std::optional<AbortedTransaction>& entry);

  const Options options_;
  const int64_t new_horizon_ms_;
  const LastBatches& last_batches_;
  const RecordRetention retention_;
  OffsetRange rest_;  // of the walk
  CleanedTransactions transactions_;
  BatchRewriter rewriter_;
  ByteBuffer scratch_;            // for decompressed records
  std::vector<KeptRecord> kept_;  // of the batch at hand
  CleaningStats stats_;
};

}  // namespace varve

#endif  // VARVE_LOG_COMPACTION_BATCH_CLEANER_H_
