// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/pin_counts.h"

#include <algorithm>

#include "absl/log/check.h"

namespace varve {

void PinCounts::Add(const PinCounts& other) {
  DCHECK_GE(other.pins, other.segments);
  DCHECK_GE(other.segments, other.deleted_segments);
  pins += other.pins;
  segments += other.segments;
  deleted_segments += other.deleted_segments;
  deleted_bytes += other.deleted_bytes;
  oldest_deleted_age = std::max(oldest_deleted_age, other.oldest_deleted_age);
}

}  // namespace varve
