// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_HELD_FILES_H_
#define VARVE_LOG_HELD_FILES_H_

#include "log/counter.h"
#include "log/histogram.h"

namespace varve {

// What a store holds of the process's limited things just now, and has
// populated, as MeteredDirectory counts it. Views that outlive the store count
// on.
//
// Thread safety: thread-safe.
struct HeldFiles {
  Counter descriptors;   // open files and directories
  Counter mappings;      // mapped ranges
  Counter mapped_bytes;  // their sizes, more than is in memory

  // Of populating pages ahead of appends: nanoseconds, by the real clock, a
  // call each; and bytes.
  Histogram populate_ns;
  Counter populated_bytes;
};

}  // namespace varve

#endif  // VARVE_LOG_HELD_FILES_H_
