// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compaction/compaction_policy.h"

#include <cstddef>
#include <cstdint>

#include "varve/log/compaction/cleanable_range.h"
#include "varve/log/compaction/compaction_segment.h"
#include "varve/log/metadata/log_config.h"

namespace varve {
namespace {

// Whether a segment holds dirty records: it ends after the first one.
bool IsDirty(const CompactionInputs& inputs, size_t i, int64_t first_dirty) {
  return inputs.segments[i + 1].base_offset > first_dirty;
}

bool IsOverdue(const CompactionInputs& inputs, int64_t first_dirty,
               int64_t max_compaction_lag_ms) {
  const int64_t limit_ms = inputs.now_ms - max_compaction_lag_ms;
  for (size_t i = 0; i + 1 < inputs.segments.size(); ++i) {
    const int64_t time_ms = inputs.segments[i].first_timestamp_ms;
    if (IsDirty(inputs, i, first_dirty) && time_ms > 0 && time_ms < limit_ms) {
      return true;
    }
  }
  return false;
}

bool IsOlder(int64_t time_ms, int64_t now_ms, int64_t age_ms) {
  return time_ms > 0 && time_ms < now_ms && now_ms - time_ms > age_ms;
}

bool Seals(const CompactionInputs& inputs, const CompactionLimits& limits) {
  const CompactionSegment& active = inputs.segments.back();
  return active.size_bytes > 0 &&
         (IsOlder(active.first_timestamp_ms, inputs.now_ms,
                  limits.max_compaction_lag_ms) ||
          IsOlder(active.modified_ms, inputs.now_ms, limits.segment_ms));
}

}  // namespace

CompactionLimits CompactionLimits::Of(const LogConfig& config) {
  return {.cleanup_policy = config.cleanup_policy,
          .min_compaction_lag_ms = config.min_compaction_lag_ms,
          .max_compaction_lag_ms = config.max_compaction_lag_ms,
          .segment_ms = config.segment_ms,
          .min_cleanable_dirty_ratio = config.min_cleanable_dirty_ratio};
}

CompactionDecision DecideCompaction(const CompactionInputs& inputs,
                                    const CompactionLimits& limits) {
  CompactionDecision decision;
  if (limits.cleanup_policy == CleanupPolicy::kDelete) return decision;
  decision.range = FindCleanableRange(inputs, limits.min_compaction_lag_ms);
  decision.seals = Seals(inputs, limits);
  const CleanableRange& range = decision.range;
  if (range.empty()) return decision;
  if (IsOverdue(inputs, range.first_dirty, limits.max_compaction_lag_ms)) {
    decision.due = CompactionDue::kOverdue;
  } else if (range.dirty_ratio() > limits.min_cleanable_dirty_ratio) {
    decision.due = CompactionDue::kDirty;
  }
  return decision;
}

}  // namespace varve
