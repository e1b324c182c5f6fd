// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_READ_H_
#define VARVE_LOG_PARTITION_READ_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "log/batch_scanner.h"
#include "log/record_batch.h"
#include "log/record_batches.h"
#include "log/segment_list.h"

namespace varve {

struct PartitionReadOptions {
  int64_t offset = 0;      // the first record wanted
  int64_t end_offset = 0;  // batches from here on are left out; above `offset`
  int64_t max_bytes = 0;   // as in SegmentReadOptions
  CrcCheck crc = CrcCheck::kVerify;
  Continuity continuity = Continuity::kExact;
};

// Reads batches from the one that holds an offset on: in its segment, or in the
// next one that has any where offsets may be left out.
//
// Errors: DataLoss when the record is damaged or missing: the message says
// where, and what the next readable offset is, if known. Those of opening the
// files.
absl::StatusOr<RecordBatches> ReadPartition(
    SegmentList& segments, const PartitionReadOptions& options);

// The offset of the first record from `begin_offset` to before `end_offset`
// whose timestamp is `timestamp_ms` or later; `end_offset` when there is none.
//
// Errors: those of opening the files.
absl::StatusOr<int64_t> FindPartitionOffsetForTime(SegmentList& segments,
                                                   int64_t timestamp_ms,
                                                   int64_t begin_offset,
                                                   int64_t end_offset);

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_READ_H_
