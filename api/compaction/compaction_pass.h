// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_COMPACTION_COMPACTION_PASS_H_
#define VARVE_API_COMPACTION_COMPACTION_PASS_H_

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
#include "varve/api/partitions/partition_table.h"
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
// waits for ever. A failure is logged, and the next pass tries again.
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
  };
  // CleanerPace::Limits::wait.
  using Wait = std::function<bool(absl::Duration)>;

  static constexpr absl::Duration kRetryAfter = absl::Minutes(5);

  explicit CompactionPass(Store store) : store_(std::move(store)) {}

  // Compacts all that is due. Returns false when it was stopped before the end.
  bool RunDue(const Wait& wait);

  // Compacts what of this partition can be cleaned.
  //
  // Errors: those of PartitionTable::Open and PartitionCompaction::Run.
  absl::StatusOr<CompactionReport> RunPartition(std::string_view topic,
                                                int32_t partition,
                                                CompactionRequest::When when,
                                                const Wait& wait);

  // Whether any topic is compacted.
  bool HasWork() const;

 private:
  struct Due {
    std::shared_ptr<PartitionLog> log;
    double dirty_ratio = 0;
  };

  void OpenUnseen(const Topic& topic);
  bool HasFailedLately(const PartitionLog& log);
  void NoteFailed(const PartitionLog& log, const absl::Status& status);
  std::vector<Due> Find();
  CompactionRequest RequestFor(CompactionRequest::When when,
                               const Wait& wait) const;
  const Store store_;

  absl::Mutex mu_;
  // Partitions that were looked at once, by topic and number.
  std::set<std::pair<std::string, int32_t>> seen_ ABSL_GUARDED_BY(mu_);
  // By the path of the partition: when (steady) it may be tried again.
  std::map<std::string, absl::Time> retry_at_ ABSL_GUARDED_BY(mu_);
};

}  // namespace varve

#endif  // VARVE_API_COMPACTION_COMPACTION_PASS_H_
