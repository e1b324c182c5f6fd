// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_OPEN_SEGMENTS_H_
#define VARVE_LOG_OPEN_SEGMENTS_H_

#include <atomic>
#include <cstdint>

namespace varve {

// How much the logs of one store hold open: counted by the logs, looked at by
// whoever keeps it within bounds.
//
// Thread safety: thread-safe.
//
// Memory ordering: relaxed; each is a count by itself, and a late look at it
// costs a little too much or too little care.
struct OpenSegments {
  // Logs with an active segment: three descriptors and three mappings each.
  std::atomic<int64_t> active = 0;
  // Segments that are mapped, the active ones among them: three mappings each.
  std::atomic<int64_t> mapped = 0;
};

}  // namespace varve

#endif  // VARVE_LOG_OPEN_SEGMENTS_H_
