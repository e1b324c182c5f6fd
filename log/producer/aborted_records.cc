// SPDX-License-Identifier: Apache-2.0

#include "varve/log/producer/aborted_records.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/producer/committed_filter.h"

namespace varve {

void LeaveOutAborted(absl::Span<const AbortedTransaction> aborted,
                     RecordBatches& view) {
  if (aborted.empty()) return;
  CommittedFilter filter(aborted);
  std::vector<int64_t> left_out;
  for (const RecordBatch& batch : view) {
    if (filter.Next(batch) == BatchOutcome::kAborted)
      left_out.push_back(batch.base_offset());
  }
  view.LeaveOut(std::move(left_out));
}

}  // namespace varve
