// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BATCH_BATCH_ADMISSION_H_
#define VARVE_LOG_BATCH_BATCH_ADMISSION_H_

#include "absl/status/status.h"
#include "varve/log/batch/record_batch.h"

namespace varve {

// Whether a log accepts a batch with this header; it judges every batch that
// was encoded elsewhere. It is stricter than `RecordBatch::Check`, by which
// readers and recovery refuse a batch: one that passes here passes there as
// well, and a verification finds nothing wrong with it.
//
// Errors: InvalidArgument with the field: a timestamp out of range; a largest
// timestamp below that of the first record, without a delete horizon; an
// undefined attribute bit; a field that `RecordBatch::Check` refuses.
//
// Base offset and leader epoch are not checked, because the append sets them.
absl::Status CheckBatchHeader(const RecordBatch& batch);

// Whether a log accepts its records: the bytes, offset and time of each, and
// that the header has the largest of their times. Compressed records are not
// checked.
//
// Errors: DataLoss for records that cannot be read; InvalidArgument for a
// timestamp out of range, and for a wrong largest one.
absl::Status CheckBatchRecords(const RecordBatch& batch);

}  // namespace varve

#endif  // VARVE_LOG_BATCH_BATCH_ADMISSION_H_
