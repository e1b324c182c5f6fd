// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_COMPACTION_COMPACTION_METERS_H_
#define VARVE_API_COMPACTION_COMPACTION_METERS_H_

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/api/store_metrics.h"
#include "varve/log/meters/histogram.h"
#include "varve/log/partition/partition_compaction.h"

namespace varve {

// Counts what a store's compactions do.
//
// Thread safety: thread-safe.
class CompactionMeters {
 public:
  // A compaction of one partition has ended well, after this time.
  //
  // Precondition: the report has a result.
  void Note(const CompactionReport& report, absl::Duration time)
      ABSL_LOCKS_EXCLUDED(mu_);

  // What the background has found when it looked at all partitions.
  struct Found {
    int64_t due_partitions = 0;
    int64_t failing_partitions = 0;
    double dirty_ratio_max = 0;
  };
  void NoteFound(const Found& found) ABSL_LOCKS_EXCLUDED(mu_);

  CompactionMetrics Snapshot() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  Histogram ns_;

  mutable absl::Mutex mu_;
  CompactionMetrics counts_ ABSL_GUARDED_BY(mu_);  // but for the times
};

}  // namespace varve

#endif  // VARVE_API_COMPACTION_COMPACTION_METERS_H_
