// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BATCH_ADMISSION_H_
#define VARVE_LOG_BATCH_ADMISSION_H_

#include "absl/status/status.h"
#include "log/record_batch.h"

namespace varve {

// Whether a header may go into a log: the judge for every batch that somebody
// else has encoded. It is stricter than `RecordBatch::Check`, which says what a
// reader or a recovery refuses: whatever passes here passes there as well, and
// a verification finds nothing in it.
//
// Errors: InvalidArgument with the field: a timestamp out of range; a largest
// timestamp below that of the first record, without a delete horizon; an
// attribute bit that means nothing; a field that `RecordBatch::Check` refuses.
//
// What the append sets itself is not looked at: base offset and leader epoch.
absl::Status CheckBatchHeader(const RecordBatch& batch);

// Whether its records may go into a log: each one's bytes, offset and time, and
// that the header states the largest of their times. Compressed ones are taken
// as they are.
//
// Errors: DataLoss for records that cannot be read; InvalidArgument for a
// timestamp out of range, and for a wrong largest one.
absl::Status CheckBatchRecords(const RecordBatch& batch);

}  // namespace varve

#endif  // VARVE_LOG_BATCH_ADMISSION_H_
