// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_COMPACTION_COMPACTION_POLICY_H_
#define VARVE_LOG_COMPACTION_COMPACTION_POLICY_H_

#include <cstdint>

#include "varve/log/compaction/cleanable_range.h"
#include "varve/log/metadata/log_config.h"

namespace varve {

// The configs that say when a topic is compacted.
struct CompactionLimits {
  CleanupPolicy cleanup_policy = CleanupPolicy::kDelete;
  int64_t min_compaction_lag_ms = 0;
  int64_t max_compaction_lag_ms = LogConfig::kForever;
  int64_t segment_ms = LogConfig::kForever;
  double min_cleanable_dirty_ratio = 0.5;

  static CompactionLimits Of(const LogConfig& config);
};

// Why a log is to be compacted now, or that it is not.
enum class CompactionDue : uint8_t {
  kNo,
  kDirty,    // enough of it is dirty: min.cleanable.dirty.ratio
  kOverdue,  // something dirty is too old: max.compaction.lag.ms
};

struct CompactionDecision {
  CompactionDue due = CompactionDue::kNo;
  // What compaction would clean, whether it is due or not: `varve stat` shows
  // its dirty ratio. Of a topic that is not compacted, nothing.
  CleanableRange range;
  // Whether the active segment is to be sealed, so that it can be compacted.
  bool seals = false;

  bool is_due() const { return due != CompactionDue::kNo; }
};

// Decides whether a log is to be compacted, by the rule of Kafka's
// LogCleanerManager: the dirty ratio is above min.cleanable.dirty.ratio; or
// anything can be cleaned, and the first batch of a segment that is dirty, and
// not the last one, is older than max.compaction.lag.ms. In both a timestamp
// that is 0 or none says nothing. Of several logs, the one with the highest
// ratio is due first.
//
// The active segment is to be sealed when its first batch is older than
// max.compaction.lag.ms, or nothing was appended to it for segment.ms. Kafka
// seals one only when another batch comes, so that the last records of a topic
// that has become quiet are never compacted.
//
// Precondition: that of FindCleanableRange.
// Thread safety: a pure function.
CompactionDecision DecideCompaction(const CompactionInputs& inputs,
                                    const CompactionLimits& limits);

}  // namespace varve

#endif  // VARVE_LOG_COMPACTION_COMPACTION_POLICY_H_
