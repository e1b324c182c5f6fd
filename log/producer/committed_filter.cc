// SPDX-License-Identifier: Apache-2.0

#include "varve/log/producer/committed_filter.h"

#include <algorithm>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/producer/producer_batch.h"

namespace varve {
namespace {

// A marker that cannot be read ends nothing, as in `ProducerStates`.
bool IsAbortMarker(const RecordBatch& batch) {
  const absl::StatusOr<ProducerBatch> marker = ProducerBatch::Read(batch);
  return marker.ok() && marker->kind == ProducerBatch::Kind::kAbort;
}

}  // namespace

CommittedFilter::CommittedFilter(absl::Span<const AbortedTransaction> aborted) {
  begins_.reserve(aborted.size());
  for (const AbortedTransaction& transaction : aborted) {
    begins_.push_back({.first_offset = transaction.first_offset,
                       .producer_id = transaction.producer_id});
  }
  std::sort(begins_.begin(), begins_.end(), [](const Begin& a, const Begin& b) {
    return a.first_offset < b.first_offset;
  });
}

BatchOutcome CommittedFilter::Next(const RecordBatch& batch) {
  while (next_ < begins_.size() &&
         begins_[next_].first_offset <= batch.last_offset()) {
    aborted_.insert(begins_[next_++].producer_id);
  }
  if (batch.is_control()) {
    if (!aborted_.empty() && IsAbortMarker(batch)) {
      aborted_.erase(batch.producer_id());
    }
    return BatchOutcome::kMarker;
  }
  return batch.is_transactional() && !aborted_.empty() &&
                 aborted_.contains(batch.producer_id())
             ? BatchOutcome::kAborted
             : BatchOutcome::kCommitted;
}

}  // namespace varve
