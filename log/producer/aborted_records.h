// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PRODUCER_ABORTED_RECORDS_H_
#define VARVE_LOG_PRODUCER_ABORTED_RECORDS_H_

#include "absl/types/span.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/record_batches.h"

namespace varve {

// Has the view leave out the records of aborted transactions (CommittedFilter).
//
// Precondition: `aborted` holds all that have offsets in the view, which ends
// at or before the last stable offset.
void LeaveOutAborted(absl::Span<const AbortedTransaction> aborted,
                     RecordBatches& view);

}  // namespace varve

#endif  // VARVE_LOG_PRODUCER_ABORTED_RECORDS_H_
