// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_APPEND_RESULT_H_
#define VARVE_LOG_APPEND_RESULT_H_

#include <cstdint>

#include "absl/time/time.h"

namespace varve {

// Where a record, or the first record of a batch, went.
struct AppendResult {
  int64_t offset = 0;
  int64_t next_offset = 0;  // one past its last record
  // The time the record reads as; of a batch, the latest of its records.
  // InfinitePast when the batch has none.
  absl::Time timestamp;
};

}  // namespace varve

#endif  // VARVE_LOG_APPEND_RESULT_H_
