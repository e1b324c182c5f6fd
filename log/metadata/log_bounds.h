// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METADATA_LOG_BOUNDS_H_
#define VARVE_LOG_METADATA_LOG_BOUNDS_H_

#include <cstdint>

namespace varve {

// A partition at one moment.
struct LogBounds {
  int64_t log_start = 0;
  int64_t recovery_point = 0;  // a lower bound of the durable end
  int64_t visible_end = 0;
  int64_t segment_count = 0;
};

}  // namespace varve

#endif  // VARVE_LOG_METADATA_LOG_BOUNDS_H_
