// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_METER_BOARD_H_
#define VARVE_API_METER_BOARD_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "api/store_metrics.h"
#include "log/clock.h"
#include "log/counter.h"
#include "log/log_meters.h"
#include "log/partition_meters.h"
#include "log/recovery_report.h"
#include "log/topic_id.h"

namespace varve {

// All the meters of a store, and what they read as.
//
// Shared by the store and its partitions. A partition that is opened again goes
// on with its meters, so counts never go down.
//
// Thread safety: thread-safe.
class MeterBoard {
 public:
  // A store that is opened now. Borrows the clock, which must outlive it.
  explicit MeterBoard(Clock* clock) : clock_(clock) {}

  MeterBoard(const MeterBoard&) = delete;
  MeterBoard& operator=(const MeterBoard&) = delete;

  // What all partitions share.
  LogMeters& log() const { return *log_; }

  // Those of one partition of the topic with this id, the same at every call.
  std::shared_ptr<PartitionMeters> Of(std::string_view topic, TopicId id,
                                      int32_t partition);

  // The topic was deleted, and its logs were ended: what it counted stays in
  // the totals, and what its views pin, until they are gone. It may be called
  // again.
  void ForgetTopic(TopicId id);

  // What opening a partition found.
  void NoteRecovery(const PartitionRecovery& recovery);

  // How long opening the store took. Once, before the store is used.
  void NoteOpened(absl::Duration time) { open_time_ = time; }

  // All that is counted here: the rest of the fields are the caller's.
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
  TrafficMetrics deleted_ ABSL_GUARDED_BY(mu_);  // of topics that are gone
  // Of deleted topics, those with views when a topic was deleted last.
  std::vector<std::shared_ptr<PartitionMeters>> pinned_ ABSL_GUARDED_BY(mu_);
};

}  // namespace varve

#endif  // VARVE_API_METER_BOARD_H_
