// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_INDEX_WARM_SEARCH_H_
#define VARVE_INDEX_WARM_SEARCH_H_

#include <cstdint>

namespace varve {

// Readers near the end of the log touch these entries in every search, so they
// stay in memory; a search of the whole index would begin in its middle, on
// pages that have not been touched for long. One page fault there costs as much
// as a whole lookup.
inline constexpr int64_t kWarmBytes = 8192;

// How many of the first `count` entries `holds(i)` is true for, given that once
// it is false it stays false. The `kWarmEntries` at the end are tried first.
//
// Thread safety: that of `holds`.
template <int64_t kWarmEntries, typename Holds>
int64_t CountWarmFirst(int64_t count, const Holds& holds) {
  int64_t low = 0;
  int64_t high = count;
  if (const int64_t warm = count - kWarmEntries; warm > 0) {
    if (holds(warm)) {
      low = warm + 1;
    } else {
      high = warm;
    }
  }
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (holds(middle)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace varve

#endif  // VARVE_INDEX_WARM_SEARCH_H_
