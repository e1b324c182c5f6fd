// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_RETENTION_RETENTION_PASS_H_
#define VARVE_API_RETENTION_RETENTION_PASS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/partitions/partition_table.h"
#include "varve/api/partitions/store_events.h"
#include "varve/api/retention/retention_clock.h"
#include "varve/log/partition/log_meters.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Finds the partitions with records that are too old or too many, by
// retention.ms and retention.bytes, and deletes those; seals the last segments
// of idle partitions after segment.ms. It skips topics with no limit, and opens
// a partition only when something may be deleted from it, or its last segment
// sealed.
//
// The log starts of all partitions move first, then one checkpoint is written,
// then the files of all are deleted. A failure is logged, and the next pass
// over all tries again. A crash or a failed trim leaves files below a log
// start: they are deleted when their partition is open.
//
// Thread safety: thread-safe; passes may run side by side.
class RetentionPass {
 public:
  struct Store {
    std::shared_ptr<Directory> directory;
    PartitionTable* partitions = nullptr;  // outlives the pass
    std::shared_ptr<StoreEvents> events;
    std::function<std::vector<Topic>()> topics;
    Environment environment = {};
    LogMeters* meters = nullptr;  // outlives the pass
    // StoreOptions::producer_id_expiration.
    absl::Duration producer_id_expiration = absl::Hours(24);
  };

  // Continues from what the store's last process knew (ReadRetentionState).
  RetentionPass(Store store, const std::optional<RetentionClock::State>& state);

  // Checks all partitions, and has those that are open forget producers whose
  // time is over. Returns false when it was asked to stop before the
  // end.
  bool RunAll(const std::stop_token& stop);

  // Checks those that are open and asked for it. Returns false as RunAll does.
  bool RunWanted(const std::stop_token& stop);

  // Checks those of one topic, whose limits have changed.
  void RunTopic(const Topic& topic);

  // The time that ages are judged by.
  absl::Time Now();

  // Deletes the files of segments below the log starts of open partitions, when
  // one checkpoint has made those starts durable. A failure is logged; a later
  // call tries again.
  void DeleteTrimmed();

  // The wall clock as the last pass over all of the store's partitions read it,
  // in any process; InfinitePast when that is not known, or no topic has
  // retention.
  absl::Time last_run() const {
    absl::MutexLock lock(&mu_);
    return last_run_;
  }

 private:
  void CheckTopic(const Topic& topic, absl::Time now,
                  const std::stop_token& stop);
  absl::Status CheckPartition(const Topic& topic, int32_t partition,
                              absl::Time now);
  absl::Status CheckLog(PartitionLog& log, absl::Time now);
  absl::StatusOr<std::shared_ptr<PartitionLog>> OpenIfNeeded(const Topic& topic,
                                                             int32_t partition,
                                                             absl::Time now);
  void ExpireProducers(absl::Time now);
  void KeepState(const std::vector<Topic>& topics);
  void Note(std::string_view what, const absl::Status& status) const;
  void TellDoubt(absl::Time wall, absl::Time now) const;

  // Constant after construction.
  const Store store_;

  mutable absl::Mutex mu_;
  RetentionClock clock_ ABSL_GUARDED_BY(mu_);
  absl::Time last_run_ ABSL_GUARDED_BY(mu_);
  bool doubt_was_logged_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace varve

#endif  // VARVE_API_RETENTION_RETENTION_PASS_H_
