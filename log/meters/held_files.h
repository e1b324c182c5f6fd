// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METERS_HELD_FILES_H_
#define VARVE_LOG_METERS_HELD_FILES_H_

#include "varve/log/meters/counter.h"
#include "varve/log/meters/histogram.h"

namespace varve {

// Descriptors and mappings that a store holds, and pages it has populated,
// counted by MeteredDirectory. Views that outlive the store are still counted.
//
// Thread safety: thread-safe.
struct HeldFiles {
  Counter descriptors;   // open files and directories
  Counter mappings;      // mapped ranges
  Counter mapped_bytes;  // their sizes, not all of it in memory

  // Populating pages ahead of appends: the nanoseconds of each call, by the
  // real clock, and the bytes.
  Histogram populate_ns;
  Counter populated_bytes;
};

}  // namespace varve

#endif  // VARVE_LOG_METERS_HELD_FILES_H_
