// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METADATA_RECOVERY_SCAN_H_
#define VARVE_LOG_METADATA_RECOVERY_SCAN_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "absl/types/span.h"

namespace varve {

// Which segment a recovery scans first, as an index of their base offsets,
// which ascend; 0 when there is none. It is the first that may hold anything at
// or above the recovery point, or that ends there: it was the active one when
// the point was written down, so that its indexes, and the blocks allocated
// after its last batch, were not synced. One that begins at the recovery point
// may be younger than these files of the one before.
inline size_t FirstSegmentToScan(absl::Span<const int64_t> bases,
                                 int64_t recovery_point) {
  const auto at = std::lower_bound(bases.begin(), bases.end(), recovery_point);
  return at == bases.begin()
             ? 0
             : static_cast<size_t>(std::distance(bases.begin(), at)) - 1;
}

}  // namespace varve

#endif  // VARVE_LOG_METADATA_RECOVERY_SCAN_H_
