// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_APPEND_RESULT_H_
#define VARVE_LOG_PARTITION_APPEND_RESULT_H_

#include <cstdint>

#include "absl/time/time.h"

namespace varve {

// The place of an appended record, or of the first record of a batch.
struct AppendResult {
  int64_t offset = 0;
  int64_t next_offset = 0;  // one past its last record
  // The timestamp of the record as it is read; of a batch, the latest of its
  // records. InfinitePast when the batch has none.
  absl::Time timestamp;
  // The batch was not appended, because its producer has appended it before:
  // this is the place that it has.
  bool is_duplicate = false;
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_APPEND_RESULT_H_
