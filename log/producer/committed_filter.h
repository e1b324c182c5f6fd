// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PRODUCER_COMMITTED_FILTER_H_
#define VARVE_LOG_PRODUCER_COMMITTED_FILTER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/types/span.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/record_batch.h"

namespace varve {

// What a reader of committed records does with a batch.
enum class BatchOutcome : uint8_t {
  kCommitted,  // returns its records: no transaction's, or a committed one's
  kAborted,    // passes over it: its transaction was aborted
  kMarker,     // passes over it: a control batch, which holds no one's records
};

// Tells the batches of aborted transactions from others, in one walk over
// consecutive batches, forwards. The rule is that of Kafka's consumer with
// isolation.level=read_committed: from the first offset of an aborted
// transaction on, the transactional batches of its producer do not count, until
// an ABORT marker of that producer comes.
//
//   std::vector<AbortedTransaction> aborted = …;  // overlapping [from, to)
//   CommittedFilter filter(aborted);
//   for (const RecordBatch& batch : …)            // of [from, to)
//     if (filter.Next(batch) == BatchOutcome::kCommitted) …
//
// Above the last stable offset transactions are undecided, and nothing here
// knows that: `to` is at most the last stable offset as it was before the
// transactions were looked up.
//
// Without an aborted transaction it allocates nothing.
//
// Thread safety: externally synchronized.
class CommittedFilter {
 public:
  // `aborted`: all that overlap the walk, in any order
  // (TransactionIndex::FindOverlapping). Those after it do no harm; one whose
  // marker comes before it would hide what its producer has committed since.
  explicit CommittedFilter(absl::Span<const AbortedTransaction> aborted);

  // What the next batch is.
  //
  // Precondition: it follows the one before, with or without a gap, and the
  // first one holds or follows the first offset of the walk.
  BatchOutcome Next(const RecordBatch& batch);

 private:
  struct Begin {
    int64_t first_offset = 0;
    int64_t producer_id = -1;
  };

  std::vector<Begin> begins_;  // by first offset
  size_t next_ = 0;            // of those that have not begun yet
  absl::flat_hash_set<int64_t>
      aborted_;  // producers, at this place of the walk
};

}  // namespace varve

#endif  // VARVE_LOG_PRODUCER_COMMITTED_FILTER_H_
