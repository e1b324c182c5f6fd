// SPDX-License-Identifier: Apache-2.0

#include "varve/log/producer/snapshot_plan.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace varve {

SnapshotPlan PlanSnapshots(const SnapshotFiles& files) {
  std::vector<int64_t> offsets(files.offsets.begin(), files.offsets.end());
  std::sort(offsets.begin(), offsets.end());
  const auto at_base = [&](int64_t offset) {
    return std::binary_search(files.segment_bases.begin(),
                              files.segment_bases.end(), offset);
  };
  const int64_t last_base =
      files.segment_bases.empty() ? -1 : files.segment_bases.back();
  // The segment of the log start counts whole.
  const auto behind_start = std::upper_bound(
      files.segment_bases.begin(), files.segment_bases.end(), files.log_start);
  const int64_t front = behind_start == files.segment_bases.begin()
                            ? files.log_start
                            : *(behind_start - 1);
  SnapshotPlan plan;
  // From the newest on, which is the only one that needs no base.
  bool newest = true;
  for (size_t i = offsets.size(); i-- > 0;) {
    const int64_t offset = offsets[i];
    const bool in_log = offset >= front && offset <= files.log_end;
    const bool kept =
        in_log && (at_base(offset) || (newest && offset > last_base));
    (kept ? plan.load : plan.remove).push_back(offset);
    if (in_log && !at_base(offset)) newest = false;
  }
  std::reverse(plan.remove.begin(), plan.remove.end());
  return plan;
}

}  // namespace varve
