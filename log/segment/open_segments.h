// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SEGMENT_OPEN_SEGMENTS_H_
#define VARVE_LOG_SEGMENT_OPEN_SEGMENTS_H_

#include <atomic>
#include <cstdint>

namespace varve {

// How much the logs of one store hold open: counted by the logs, read by the
// code that keeps it within bounds.
//
// Thread safety: thread-safe.
//
// Memory ordering: relaxed; each is a count by itself, and an old value only
// makes the bounds a little less exact.
struct OpenSegments {
  // Logs with an active segment: four descriptors (its three files and the
  // directory) and three mappings each. Three more of both, for a segment that
  // is made ready, are not counted here, nor are the descriptors of sealed
  // segments that wait for their sync.
  std::atomic<int64_t> active = 0;
  // Segments that are mapped, the active ones among them: three mappings each.
  std::atomic<int64_t> mapped = 0;
};

}  // namespace varve

#endif  // VARVE_LOG_SEGMENT_OPEN_SEGMENTS_H_
