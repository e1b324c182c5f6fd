// SPDX-License-Identifier: Apache-2.0

#include "api/maintain_duty.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/log_severity.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "api/duty_notices.h"
#include "api/partition_table.h"
#include "api/retention_clock.h"
#include "api/store_events.h"
#include "api/store_files.h"
#include "api/topic_catalog.h"
#include "log/apply_retention.h"
#include "log/clock.h"
#include "log/file_system.h"
#include "log/log_sink.h"
#include "log/partition_log.h"
#include "log/retention_policy.h"
#include "log/segment_name.h"

namespace varve {
namespace {

// When the store last wrote its checkpoint; InfinitePast when it has none.
absl::Time LastAlive(Directory& directory) {
  auto file = directory.OpenFile(kCheckpointName, OpenMode::kRead);
  if (!file.ok()) return absl::InfinitePast();
  return (*file)->ModifiedAt().value_or(absl::InfinitePast());
}

}  // namespace

MaintainDuty::MaintainDuty(Store store, absl::Duration check_interval)
    : store_(std::move(store)),
      clock_(store_.environment.clock),
      check_interval_(check_interval),
      due_(clock_->Steady() + std::min(check_interval, kFirstCheckMax)),
      retention_clock_(LastAlive(*store_.directory), clock_->Now(),
                       clock_->Steady()) {}

absl::Time MaintainDuty::Run(const std::stop_token& stop) {
  const absl::Time next = store_.delete_topics(stop);
  return std::min(next, RunRetention(stop));
}

absl::Time MaintainDuty::RunRetention(const std::stop_token& stop) {
  if (!store_.events->TakeLimitsChanged() && clock_->Steady() < due_)
    return due_;
  const absl::Time now = RetentionNow();
  for (const Topic& topic : store_.topics()) {
    if (HasRetention(topic.config.log)) CheckTopic(topic, now, stop);
    if (stop.stop_requested()) return due_;
  }
  DeleteTrimmed();
  due_ = clock_->Steady() + check_interval_;
  return due_;
}

absl::Time MaintainDuty::RetentionNow() {
  const absl::Time wall = clock_->Now();
  const absl::Time now = retention_clock_.Now(wall, clock_->Steady());
  if (retention_clock_.doubts() && !doubt_was_logged_) {
    TellRetention(
        absl::LogSeverity::kWarning,
        absl::StrCat(store_.directory->path(), ": the clock jumped to ",
                     absl::FormatTime(wall),
                     "; until that has held for a day, retention goes by ",
                     absl::FormatTime(now)));
  }
  doubt_was_logged_ = retention_clock_.doubts();
  return now;
}

void MaintainDuty::CheckTopic(const Topic& topic, absl::Time now,
                              const std::stop_token& stop) {
  for (int32_t i = 0; i < topic.config.partitions; ++i) {
    if (stop.stop_requested()) return;
    absl::Status status = CheckPartition(topic, i, now);
    // What is too old stays; the next round tries again.
    if (!status.ok()) {
      NoteDutyFailure(
          store_.environment, *store_.meters,
          absl::StrCat(PartitionDirectoryName(topic.name, i), ": retention"),
          status);
    }
  }
}

absl::Status MaintainDuty::CheckPartition(const Topic& topic, int32_t partition,
                                          absl::Time now) {
  absl::StatusOr<std::shared_ptr<PartitionLog>> log =
      OpenIfNeeded(topic, partition, now);
  if (!log.ok() || *log == nullptr) return log.status();
  const int64_t log_start = (*log)->log_start();
  const absl::StatusOr<RetentionDecision> decision = ApplyRetention(**log, now);
  if ((*log)->log_start() != log_start) {
    trimmed_.push_back({.log = *log});
    TellRetention(absl::LogSeverity::kInfo,
                  absl::StrCat(PartitionDirectoryName(topic.name, partition),
                               ": retention gives up offsets ", log_start,
                               " to ", (*log)->log_start() - 1));
  }
  return decision.status();
}

void MaintainDuty::TellRetention(absl::LogSeverity severity,
                                 const std::string& text) const {
  store_.environment.Log({.severity = severity,
                          .event = LogEvent::kRetention,
                          .path = store_.directory->path(),
                          .text = text});
}

// Null when it is not open, and need not be.
absl::StatusOr<std::shared_ptr<PartitionLog>> MaintainDuty::OpenIfNeeded(
    const Topic& topic, int32_t partition, absl::Time now) {
  absl::StatusOr<std::shared_ptr<PartitionLog>> log =
      store_.partitions->FindOpen(topic, partition);
  if (!log.ok() || *log != nullptr) return log;
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      store_.directory->OpenDirectory(
          PartitionDirectoryName(topic.name, partition));
  if (!directory.ok()) return directory.status();
  const absl::StatusOr<bool> needed =
      MayNeedRetention(**directory, topic.config.log, now);
  if (!needed.ok()) return needed.status();
  if (!*needed) return nullptr;
  return store_.partitions->Open(topic.name, partition);
}

void MaintainDuty::DeleteTrimmed() {
  if (trimmed_.empty()) return;
  for (Trimmed& trimmed : trimmed_)
    trimmed.durable_start = trimmed.log->log_start();
  absl::Status status = store_.events->WriteCheckpoint();
  // A file that goes before the checkpoint would look like a loss.
  if (!status.ok()) {
    NoteDutyFailure(store_.environment, *store_.meters,
                    "checkpoint before a deletion", status);
    return;
  }
  // What cannot be deleted is tried again in the next round, and at the next
  // open.
  for (Trimmed& trimmed : trimmed_) {
    absl::Status deleted = trimmed.log->DeleteTrimmed(trimmed.durable_start);
    trimmed.is_deleted = deleted.ok();
    if (!deleted.ok()) {
      NoteDutyFailure(store_.environment, *store_.meters, "deletion", deleted);
    }
  }
  std::erase_if(trimmed_,
                [](const Trimmed& trimmed) { return trimmed.is_deleted; });
}

}  // namespace varve
