// SPDX-License-Identifier: Apache-2.0

#include "varve/api/compaction/compaction_meters.h"

#include "absl/log/check.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/api/store_metrics.h"
#include "varve/log/partition/partition_compaction.h"

namespace varve {

void CompactionMeters::Note(const CompactionReport& report,
                            absl::Duration time) {
  CHECK(report.result.has_value());
  const CleaningResult& result = *report.result;
  ns_.Add(absl::ToInt64Nanoseconds(time));
  absl::MutexLock lock(&mu_);
  if (result.first_dirty < report.decision.range.end) ++counts_.partial;
  counts_.replaced_segments += result.segments_replaced;
  counts_.read_bytes +=
      result.stats.map.bytes_read + result.stats.cleaning.bytes_read;
  counts_.written_bytes += result.bytes_written;
  counts_.removed_bytes += result.bytes_replaced - result.bytes_written;
  counts_.removed_records += result.stats.cleaning.records_removed();
}

void CompactionMeters::NoteFound(const Found& found) {
  absl::MutexLock lock(&mu_);
  counts_.due_partitions = found.due_partitions;
  counts_.failing_partitions = found.failing_partitions;
  counts_.dirty_ratio_max = found.dirty_ratio_max;
}

CompactionMetrics CompactionMeters::Snapshot() const {
  CompactionMetrics metrics;
  {
    absl::MutexLock lock(&mu_);
    metrics = counts_;
  }
  metrics.compaction_ns = ns_.Snapshot();
  return metrics;
}

}  // namespace varve
