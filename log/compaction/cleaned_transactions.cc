// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compaction/cleaned_transactions.h"

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/producer/producer_batch.h"

namespace varve {
namespace {

using Kind = CleanedTransaction::Kind;

// What a control batch is; one that cannot be read ends nothing, as in
// `ProducerStates`.
ProducerBatch::Kind KindOfMarker(const RecordBatch& batch) {
  const absl::StatusOr<ProducerBatch> marker = ProducerBatch::Read(batch);
  return marker.ok() ? marker->kind : ProducerBatch::Kind::kNone;
}

}  // namespace

void CleanedTransactions::AddAborted(
    absl::Span<const AbortedTransaction> aborted) {
  for (const AbortedTransaction& transaction : aborted) {
    later_.push(transaction);
  }
}

// One that has begun, or ended, before may come again with the next segment.
void CleanedTransactions::BeginUpTo(const RecordBatch& batch) {
  while (!later_.empty() && later_.top().first_offset <= batch.last_offset()) {
    const AbortedTransaction transaction = later_.top();
    later_.pop();
    if (transaction.last_offset < batch.base_offset()) continue;
    Aborted& begun =
        aborted_.try_emplace(transaction.producer_id, Aborted{transaction})
            .first->second;
    if (begun.transaction.last_offset < transaction.first_offset) {
      begun = {transaction};
    }
  }
}

CleanedTransactions::Aborted* CleanedTransactions::FindAborted(
    const RecordBatch& batch) {
  const auto it = aborted_.find(batch.producer_id());
  if (it == aborted_.end()) return nullptr;
  const AbortedTransaction& transaction = it->second.transaction;
  if (transaction.last_offset < batch.base_offset()) {
    aborted_.erase(it);
    return nullptr;
  }
  return &it->second;
}

CleanedTransaction CleanedTransactions::Next(const RecordBatch& batch) {
  BeginUpTo(batch);
  if (batch.is_control()) return NextMarker(batch);
  if (!batch.is_transactional()) return {Kind::kData};
  if (Aborted* const aborted = FindAborted(batch)) {
    aborted->is_seen = true;
    return {Kind::kAborted};
  }
  committed_.insert(batch.producer_id());
  return {Kind::kData};
}

CleanedTransaction CleanedTransactions::NextMarker(const RecordBatch& batch) {
  if (batch.record_count() == 0) return {Kind::kSpentMarker};
  switch (KindOfMarker(batch)) {
    case ProducerBatch::Kind::kAbort:
      return EndAborted(batch.producer_id());
    case ProducerBatch::Kind::kCommit:
      return {committed_.erase(batch.producer_id()) > 0 ? Kind::kMarker
                                                        : Kind::kSpentMarker};
    default:
      return {Kind::kMarker};
  }
}

CleanedTransaction CleanedTransactions::EndAborted(int64_t producer_id) {
  const auto node = aborted_.extract(producer_id);
  if (node.empty() || !node.mapped().is_seen) return {Kind::kSpentMarker};
  return {Kind::kMarker, node.mapped().transaction};
}

}  // namespace varve
