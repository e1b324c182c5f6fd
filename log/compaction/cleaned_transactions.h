// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_COMPACTION_CLEANED_TRANSACTIONS_H_
#define VARVE_LOG_COMPACTION_CLEANED_TRANSACTIONS_H_

#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/types/span.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/record_batch.h"

namespace varve {

// What a batch is to the transactions of a log that is compacted.
struct CleanedTransaction {
  enum class Kind : uint8_t {
    kData,     // records that count: no transaction's, or a committed one's
    kAborted,  // records of a transaction that was aborted: they go at once
    // A control batch that has to stay: batches of its transaction were in this
    // walk, and it says what became of them. Also one that ends no transaction,
    // or that cannot be read.
    kMarker,
    // A marker of which no batch was in this walk, or a control batch that
    // compaction has emptied before: it may go, in two steps as a tombstone.
    kSpentMarker,
  };
  Kind kind = Kind::kData;
  // Of an ABORT marker that stays: its entry in the transaction index of the
  // segment that it is written to.
  std::optional<AbortedTransaction> index_entry = std::nullopt;

  friend bool operator==(const CleanedTransaction&,
                         const CleanedTransaction&) = default;
};

// Follows the transactions through one walk over consecutive batches, from the
// log's first one on, or, where only `kAborted` matters, from any. Kafka's
// CleanedTransactionMetadata. Every pass over a log decides by the same rule,
// so a record that is not in the map of keys is one that is removed, too.
//
// A batch belongs to an aborted transaction when it is transactional, of that
// producer, and lies within its offsets. Unlike in CommittedFilter
// (log/producer), and in Kafka, the transaction ends at its marker's offset
// even where no marker is met: then a transaction that has ended before the
// walk, or whose marker is gone, cannot make committed records disappear.
//
// Memory: the transactions that were added and have not ended yet, and the ids
// of producers with a transaction within the walk.
//
// Thread safety: externally synchronized.
class CleanedTransactions {
 public:
  // Aborted transactions that overlap what comes next: of one segment at a
  // time, or of all. In any order; one that is known already does no harm.
  // Every one whose batches come must be added before these: those of
  // TransactionIndex::FindOverlapping, whose markers may lie far behind.
  void AddAborted(absl::Span<const AbortedTransaction> aborted);

  // What the next batch is.
  //
  // Precondition: it follows the one before, with or without a gap, and every
  // transaction with a batch at its offsets is decided.
  CleanedTransaction Next(const RecordBatch& batch);

 private:
  struct Aborted {
    AbortedTransaction transaction;
    bool is_seen = false;  // a batch of it was in the walk
  };
  struct BeginsLater {
    bool operator()(const AbortedTransaction& a,
                    const AbortedTransaction& b) const {
      return a.first_offset > b.first_offset;
    }
  };

  void BeginUpTo(const RecordBatch& batch);
  CleanedTransaction NextMarker(const RecordBatch& batch);
  CleanedTransaction EndAborted(int64_t producer_id);
  Aborted* FindAborted(const RecordBatch& batch);

  // Those that have not begun, the earliest on top.
  std::priority_queue<AbortedTransaction, std::vector<AbortedTransaction>,
                      BeginsLater>
      later_;
  absl::flat_hash_map<int64_t, Aborted> aborted_;  // by producer
  // Producers of whose transaction a batch was in the walk, and no marker.
  absl::flat_hash_set<int64_t> committed_;
};

}  // namespace varve

#endif  // VARVE_LOG_COMPACTION_CLEANED_TRANSACTIONS_H_
