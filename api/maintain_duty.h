// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_MAINTAIN_DUTY_H_
#define VARVE_API_MAINTAIN_DUTY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/base/log_severity.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "api/duty.h"
#include "api/partition_table.h"
#include "api/retention_clock.h"
#include "api/store_events.h"
#include "api/topic_catalog.h"
#include "log/clock.h"
#include "log/environment.h"
#include "log/file_system.h"
#include "log/log_meters.h"
#include "log/partition_log.h"

namespace varve {

// Deletes what is too old or too much, by retention.ms and retention.bytes, and
// seals the last segments of idle partitions after segment.ms; in partitions
// that are not open, too. It has the lowest priority, and looks at a topic with
// no limit not at all. The files of deleted topics go here as well.
// It looks at its interval, and when a topic's config was changed.
//
// One checkpoint is written for all that goes, and then the files are deleted;
// a crash between the two leaves files that the next open deletes.
//
// Thread safety: as Duty.
class MaintainDuty final : public Duty {
 public:
  // The first check comes no later than this after the open, as Kafka's
  // log.initial.task.delay.ms.
  static constexpr absl::Duration kFirstCheckMax = absl::Seconds(30);

  struct Store {
    std::shared_ptr<Directory> directory;
    PartitionTable* partitions = nullptr;  // outlives the duty
    std::shared_ptr<StoreEvents> events;
    std::function<std::vector<Topic>()> topics;
    // Removes what is due of deleted topics; returns when more will be.
    std::function<absl::Time(const std::stop_token&)> delete_topics;
    Environment environment = {};
    LogMeters* meters = nullptr;  // outlives the duty
  };

  MaintainDuty(Store store, absl::Duration check_interval);

  absl::Time Run(const std::stop_token& stop) override;

 private:
  absl::Time RunRetention(const std::stop_token& stop);
  absl::Time RetentionNow();
  void CheckTopic(const Topic& topic, absl::Time now,
                  const std::stop_token& stop);
  absl::Status CheckPartition(const Topic& topic, int32_t partition,
                              absl::Time now);
  absl::StatusOr<std::shared_ptr<PartitionLog>> OpenIfNeeded(const Topic& topic,
                                                             int32_t partition,
                                                             absl::Time now);
  void DeleteTrimmed();
  void TellRetention(absl::LogSeverity severity, const std::string& text) const;

  // Constant after construction.
  const Store store_;
  Clock* const clock_;
  const absl::Duration check_interval_;

  // Used by `Run` alone.
  absl::Time due_;
  RetentionClock retention_clock_;
  bool doubt_was_logged_ = false;
  // Logs whose start has moved, until their files are deleted.
  struct Trimmed {
    std::shared_ptr<PartitionLog> log;
    int64_t durable_start = 0;
    bool is_deleted = false;
  };
  std::vector<Trimmed> trimmed_;
};

}  // namespace varve

#endif  // VARVE_API_MAINTAIN_DUTY_H_
