// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_METRICS_STORE_METERS_H_
#define VARVE_API_METRICS_STORE_METERS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/api/store_metrics.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/meters/counter.h"
#include "varve/log/partition/log_meters.h"
#include "varve/log/partition/partition_meters.h"
#include "varve/log/recovery/partition_recovery_report.h"
#include "varve/log/system/clock.h"

namespace varve {

// All the meters of a store, and their readings.
//
// Shared by the store and its partitions. A partition that is opened again
// continues with its meters, so counts never decrease.
//
// Thread safety: thread-safe.
class StoreMeters {
 public:
  // The meters of a store that is being opened. Borrows the clock, which must
  // outlive it.
  explicit StoreMeters(Clock* clock) : clock_(clock) {}

  StoreMeters(const StoreMeters&) = delete;
  StoreMeters& operator=(const StoreMeters&) = delete;

  // The meters that all partitions share.
  LogMeters& log() const { return *log_; }

  // The meters of one partition of the topic with this id, the same at every
  // call.
  std::shared_ptr<PartitionMeters> Of(std::string_view topic, TopicId id,
                                      int32_t partition);

  // Call it when the topic was deleted, and its logs were ended: its counts
  // stay in the totals, and so does what its views pin, until they are dropped.
  // It may be called again.
  void ForgetTopic(TopicId id);

  // Counts what opening a partition found.
  void NoteRecovery(const PartitionRecoveryReport& recovery);

  // Notes how long opening the store took. Call it once, before the store is
  // used.
  void NoteOpened(absl::Duration time) { open_time_ = time; }

  // All that is counted here; the caller fills in the other fields.
  StoreMetrics Snapshot() const;

 private:
  struct TopicMeters {
    std::string name;
    std::map<int32_t, std::shared_ptr<PartitionMeters>> partitions;
  };

  static TrafficMetrics Traffic(const TopicMeters& topic);
  void AddHoldings(StoreMetrics& metrics) const ABSL_SHARED_LOCKS_REQUIRED(mu_);

  // Constant after the store was opened.
  Clock* const clock_;
  const absl::Time opened_at_ = clock_->Now();
  absl::Duration open_time_;

  const std::shared_ptr<LogMeters> log_ = std::make_shared<LogMeters>();
  Counter recovered_bytes_;
  Counter torn_tails_;
  Counter ambiguous_cuts_;
  Counter corrupt_places_;

  mutable absl::Mutex mu_;
  std::map<TopicId, TopicMeters> topics_ ABSL_GUARDED_BY(mu_);
  TrafficMetrics deleted_ ABSL_GUARDED_BY(mu_);  // of deleted topics
  // The meters of deleted topics that had views when a topic was last deleted.
  std::vector<std::shared_ptr<PartitionMeters>> pinned_ ABSL_GUARDED_BY(mu_);
};

}  // namespace varve

#endif  // VARVE_API_METRICS_STORE_METERS_H_
