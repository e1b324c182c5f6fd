// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/roll_policy.h"

#include <cstdint>
#include <limits>
#include <string_view>

#include "absl/log/check.h"

namespace varve {
namespace {

// Whether `later` is more than `limit` after `earlier`; `limit` and `earlier`
// are 0 or more, so nothing overflows.
bool IsMoreThan(int64_t limit, int64_t earlier, int64_t later) {
  DCHECK_GE(limit, 0);
  DCHECK_GE(earlier, 0);
  return later > earlier && later - earlier > limit;
}

bool HasWaited(const RollInputs& inputs, int64_t segment_ms) {
  const int64_t first = inputs.first_batch_max_timestamp_ms;
  if (first >= 0) {
    return IsMoreThan(segment_ms, first, inputs.batch_max_timestamp_ms);
  }
  return inputs.created_ms >= 0 &&
         IsMoreThan(segment_ms, inputs.created_ms, inputs.now_ms);
}

int64_t SaturatingSum(int64_t a, int64_t b) {
  DCHECK_GE(a, 0);
  DCHECK_GE(b, 0);
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  return a > kMax - b ? kMax : a + b;
}

bool IsOutOfRange(int64_t base_offset, int64_t offset) {
  return offset < base_offset ||
         offset - base_offset > std::numeric_limits<int32_t>::max();
}

}  // namespace

std::string_view RollReasonText(RollReason reason) {
  switch (reason) {
    case RollReason::kNone:
      return "the segment is not full";
    case RollReason::kSize:
      return "segment.bytes is reached";
    case RollReason::kTime:
      return "segment.ms has passed";
    case RollReason::kOffsetIndexFull:
      return "the offset index is full";
    case RollReason::kTimeIndexFull:
      return "the time index is full";
    case RollReason::kOffsetRange:
      return "an offset lies 2^31 or more above the base offset";
  }
  return "unknown";
}

RollReason ShouldRoll(const RollInputs& inputs, const RollLimits& limits) {
  if (inputs.segment_size == 0) return RollReason::kNone;
  if (inputs.batch_size > limits.segment_bytes - inputs.segment_size) {
    return RollReason::kSize;
  }
  if (HasWaited(inputs, limits.segment_ms)) return RollReason::kTime;
  if (inputs.offset_index_full) return RollReason::kOffsetIndexFull;
  if (inputs.time_index_full) return RollReason::kTimeIndexFull;
  if (IsOutOfRange(inputs.base_offset, inputs.batch_last_offset)) {
    return RollReason::kOffsetRange;
  }
  return RollReason::kNone;
}

RollHorizon HorizonOf(const RollInputs& inputs, const RollLimits& limits) {
  if (inputs.segment_size == 0 || inputs.offset_index_full ||
      inputs.time_index_full) {
    return {};
  }
  constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  RollHorizon horizon = {
      .segment_size = limits.segment_bytes,
      .batch_last_offset = SaturatingSum(inputs.base_offset,
                                         std::numeric_limits<int32_t>::max()),
      .batch_max_timestamp_ms = kNever,
      .now_ms = kNever};
  const int64_t first = inputs.first_batch_max_timestamp_ms;
  if (first >= 0) {
    horizon.batch_max_timestamp_ms = SaturatingSum(first, limits.segment_ms);
  } else if (inputs.created_ms >= 0) {
    horizon.now_ms = SaturatingSum(inputs.created_ms, limits.segment_ms);
  }
  return horizon;
}

}  // namespace varve
