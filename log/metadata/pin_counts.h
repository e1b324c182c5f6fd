// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METADATA_PIN_COUNTS_H_
#define VARVE_LOG_METADATA_PIN_COUNTS_H_

#include <cstdint>

#include "absl/time/time.h"

namespace varve {

// What the views of a partition, or of a whole store, pin. A pin is a
// RecordBatches that is not empty, or a copy of one; but all copies of one
// whose records were decompressed are one pin. A read counts as one while it is
// under way.
struct PinCounts {
  int64_t pins = 0;
  int64_t segments = 0;  // pinned: each keeps its mapping
  // Of those, the ones that have been deleted: their disk space is not freed
  // before the last pin is dropped.
  int64_t deleted_segments = 0;
  int64_t deleted_bytes = 0;  // of their batches
  // For how long the space of the first of these has been held back. A view
  // of a deleted segment is older than the deletion, so its age is at least
  // that. Zero when no deleted segment is pinned.
  absl::Duration oldest_deleted_age = absl::ZeroDuration();

  // Takes the larger of the ages, and the sums of the rest.
  void Add(const PinCounts& other);
  friend bool operator==(const PinCounts&, const PinCounts&) = default;
};

}  // namespace varve

#endif  // VARVE_LOG_METADATA_PIN_COUNTS_H_
