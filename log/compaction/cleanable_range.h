// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_COMPACTION_CLEANABLE_RANGE_H_
#define VARVE_LOG_COMPACTION_CLEANABLE_RANGE_H_

#include <cstdint>
#include <optional>

#include "absl/types/span.h"
#include "varve/log/compaction/compaction_segment.h"

namespace varve {

// A log at one moment, as far as compaction looks at it.
struct CompactionInputs {
  // All segments, oldest first; the last one is the one that grows.
  absl::Span<const CompactionSegment> segments = {};
  int64_t log_start = 0;
  int64_t log_end = 0;  // the offset of the next append
  // What the last compaction has left as the first dirty offset
  // (`cleaner-offset-checkpoint`); nothing when there was none.
  std::optional<int64_t> checkpoint = std::nullopt;
  // Below this everything is on the disk, and the checkpoint file says so.
  int64_t recovery_point = 0;
  // Below this every transaction is decided.
  int64_t last_stable_offset = 0;
  int64_t now_ms = 0;  // wall clock; 0 or more
};

// What of a log can be compacted: whole segments, from the oldest one on. The
// records below `first_dirty` were compacted before; those from there to `end`
// are dirty, and may replace any before them.
struct CleanableRange {
  int64_t first_dirty = 0;
  // The base offset of the first segment that stays as it is. Below
  // `first_dirty` when nothing dirty can be cleaned.
  int64_t end = 0;
  // How many segments, from the oldest on, lie below `end`.
  int64_t segment_count = 0;
  // The checkpoint was outside of the log, and all of the log counts as dirty:
  // the file is to be corrected.
  bool is_checkpoint_wrong = false;
  // Of the segments that begin below `first_dirty`; and of those up to `end`
  // from the one on that holds it. One that it lies in the middle of counts in
  // both, as in Kafka.
  int64_t clean_bytes = 0;
  int64_t cleanable_bytes = 0;

  // Whether there is anything to clean.
  bool empty() const { return cleanable_bytes == 0; }

  // The part that is dirty, 0 to 1.
  double dirty_ratio() const {
    return empty() ? 0.0
                   : static_cast<double>(cleanable_bytes) /
                         static_cast<double>(clean_bytes + cleanable_bytes);
  }

  friend bool operator==(const CleanableRange&,
                         const CleanableRange&) = default;
};

// Finds it, by the rule of Kafka's LogCleanerManager. `first_dirty` is the
// checkpoint, or the log start when there is none, or one that lies before the
// log start or after the log's end. The range ends at the first segment that
//
//  - is the last one, which grows; or holds, or follows,
//  - the last stable offset: what is undecided is not touched;
//  - the recovery point: no durable bytes are replaced by ones that a power
//    loss could take, and what recovery may have to scan is as it was written;
//  - or is dirty and has a record that is younger than
//    `min_compaction_lag_ms`, unless that is 0. A segment without timestamps
//    is as old as its file; when that is not known either, it is young.
//
// Kafka has the high watermark in place of the recovery point.
//
// Precondition: there is a segment, and `min_compaction_lag_ms` is 0 or more.
// Thread safety: a pure function.
CleanableRange FindCleanableRange(const CompactionInputs& inputs,
                                  int64_t min_compaction_lag_ms);

}  // namespace varve

#endif  // VARVE_LOG_COMPACTION_CLEANABLE_RANGE_H_
