// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/roll_watch.h"

#include <algorithm>
#include <cstdint>

#include "varve/log/segment/roll_policy.h"
#include "varve/log/segment/segment.h"

namespace varve {

bool RollWatch::IsDue(const Segment& segment, const Append& append,
                      int64_t segment_bytes) {
  const RollInputs inputs = {
      .segment_size = segment.size(),
      .base_offset = segment.base_offset(),
      .first_batch_max_timestamp_ms = segment.first_batch_max_timestamp_ms(),
      .created_ms = created_ms_,
      .offset_index_full = segment.indexes().offset_index_full(),
      .time_index_full = segment.indexes().time_index_full(),
      .batch_size = append.size,
      .batch_last_offset = append.last_offset,
      .batch_max_timestamp_ms = append.max_timestamp_ms,
      .now_ms = append.now_ms};
  const RollLimits limits = {
      .segment_bytes = std::min(segment_bytes, segment.capacity()),
      .segment_ms = segment_ms_};
  horizon_ = HorizonOf(inputs, limits);
  return ShouldRoll(inputs, limits) != RollReason::kNone;
}

}  // namespace varve
