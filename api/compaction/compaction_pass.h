// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_COMPACTION_COMPACTION_PASS_H_
#define VARVE_API_COMPACTION_COMPACTION_PASS_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/compaction/compaction_meters.h"
#include "varve/api/partitions/partition_table.h"
#include "varve/api/store_metrics.h"
#include "varve/log/partition/log_meters.h"
#include "varve/log/partition/partition_compaction.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/system/environment.h"

namespace varve {

// Whether a topic with this config is compacted.
bool IsCompacted(const LogConfig& config);

// Finds the partitions that are to be compacted, by min.cleanable.dirty.ratio
// and max.compaction.lag.ms, and compacts them: the one with the most dirty
// part first, as Kafka does, and each at most once in a pass, so that none
// waits for ever. Before that it seals active segments whose time has come
// (DecideCompaction). A failure is logged, and the next pass tries again.
//
// Partitions that were not opened since the store was are opened once, to see
// what an earlier process has left.
//
// Thread safety: thread-safe; passes may run side by side, but a partition is
// compacted by one at a time.
class CompactionPass {
 public:
  struct Store {
    PartitionTable* partitions = nullptr;  // outlives the pass
    std::function<std::vector<Topic>()> topics;
    Environment environment = {};
    LogMeters* meters = nullptr;  // outlives the pass
    int64_t map_memory_bytes = 0;
    int64_t bytes_per_second = 0;  // 0: no limit
    // Bytes of deleted segments that views hold, and may; -1: no limit.
    std::function<int64_t()> pinned_deleted_bytes;
    int64_t pinned_deleted_bytes_max = -1;
  };
  // CleanerPace::Limits::wait.
  using Wait = std::function<bool(absl::Duration)>;

  static constexpr absl::Duration kRetryAfter = absl::Minutes(5);
  static constexpr int64_t kSmallBytes = int64_t{32} << 20;

  explicit CompactionPass(Store store) : store_(std::move(store)) {}

  // Compacts all that is due. Returns false when it was stopped before the end.
  bool RunDue(const Wait& wait);

  // Compacts, of the partitions that are open, what is due and takes no longer
  // than a moment: kSmallBytes are read, in all. For the end of a process: many
  // that live shorter than it takes to look would never compact.
  void RunSmall();

  // Compacts this partition as it is asked for; the pass adds the store's
  // limits to the request.
  //
  // Errors: those of PartitionTable::Open and PartitionCompaction::Run;
  // ResourceExhausted when views hold too much of deleted segments.
  absl::StatusOr<CompactionReport> RunPartition(std::string_view topic,
                                                int32_t partition,
                                                CompactionRequest request);

  // Whether any topic is compacted.
  bool HasWork() const;

  // The log has begun a segment: the one before may be due. Any thread may call
  // it. Returns whether the log is compacted, so that a pass is worth a look.
  bool NoteSegmentBegun(const PartitionLog& log);
  // Whether that was called since the last time for one that is compacted.
  bool TakeSegmentBegun() {
    return segment_begun_.exchange(false, std::memory_order_relaxed);
  }

  CompactionMetrics metrics() const { return meters_.Snapshot(); }

 private:
  struct Due {
    std::shared_ptr<PartitionLog> log;
    double dirty_ratio = 0;
    int64_t bytes_to_read = 0;
  };

  void OpenUnseen(const Topic& topic);
  absl::StatusOr<CompactionDecision> Look(PartitionLog& log);
  void RunOn(PartitionLog& log, const Wait& wait);
  bool HasFailedLately(const PartitionLog& log);
  void NoteFailed(const PartitionLog& log, const absl::Status& status);
  std::vector<Due> Find();
  absl::Status CheckPins() const;
  absl::StatusOr<CompactionReport> Run(PartitionLog& log,
                                       CompactionRequest request);

  const Store store_;
  CompactionMeters meters_;
  // Memory ordering: relaxed; the bell that follows it orders.
  std::atomic<bool> segment_begun_ = false;

  absl::Mutex mu_;
  // Partitions that were looked at once, by topic and number.
  std::set<std::pair<std::string, int32_t>> seen_ ABSL_GUARDED_BY(mu_);
  // By the path of the partition: when (steady) it may be tried again.
  std::map<std::string, absl::Time> retry_at_ ABSL_GUARDED_BY(mu_);
};

}  // namespace varve

#endif  // VARVE_API_COMPACTION_COMPACTION_PASS_H_
