// SPDX-License-Identifier: Apache-2.0

#include "varve/api/retention/retention_pass.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/log_severity.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/api/catalog/store_files.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/duty/duty_notices.h"
#include "varve/api/partitions/partition_table.h"
#include "varve/api/partitions/retention_notices.h"
#include "varve/api/partitions/store_events.h"
#include "varve/api/retention/retention_clock.h"
#include "varve/api/retention/retention_state.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/partition/apply_retention.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/producer/producer_states.h"
#include "varve/log/retention/retention_policy.h"
#include "varve/log/system/clock.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/log_sink.h"

namespace varve {
namespace {

// When the store last wrote its checkpoint; InfinitePast when it has none.
absl::Time LastAlive(Directory& directory) {
  auto file = directory.OpenFile(kCheckpointName, OpenMode::kRead);
  if (!file.ok()) return absl::InfinitePast();
  return (*file)->ModifiedAt().value_or(absl::InfinitePast());
}

RetentionClock MakeClock(const std::optional<RetentionClock::State>& state,
                         Directory& directory, Clock& clock) {
  if (state.has_value())
    return RetentionClock(*state, clock.Now(), clock.Steady());
  return RetentionClock(LastAlive(directory), clock.Now(), clock.Steady());
}

}  // namespace

RetentionPass::RetentionPass(Store store,
                             const std::optional<RetentionClock::State>& state)
    : store_(std::move(store)),
      clock_(MakeClock(state, *store_.directory, *store_.environment.clock)),
      last_run_(state.has_value() ? state->wall : absl::InfinitePast()) {}

bool RetentionPass::RunAll(const std::stop_token& stop) {
  const absl::Time now = Now();
  const std::vector<Topic> topics = store_.topics();
  for (const Topic& topic : topics) {
    if (HasRetention(topic.config.log)) CheckTopic(topic, now, stop);
    if (stop.stop_requested()) return false;
  }
  DeleteTrimmed();
  ExpireProducers(now);
  KeepState(topics);
  return true;
}

bool RetentionPass::RunWanted(const std::stop_token& stop) {
  const absl::Time now = Now();
  for (const std::shared_ptr<PartitionLog>& log : store_.partitions->opened()) {
    if (stop.stop_requested()) return false;
    if (!log->TakeRetentionWanted()) continue;
    absl::Status status = CheckLog(*log, now);
    if (!status.ok()) Note(DirectoryNameOf(*log), status);
  }
  DeleteTrimmed();
  return true;
}

void RetentionPass::RunTopic(const Topic& topic) {
  if (!HasRetention(topic.config.log)) return;
  CheckTopic(topic, Now(), {});
  DeleteTrimmed();
}

absl::Time RetentionPass::Now() {
  const absl::Time wall = store_.environment.clock->Now();
  absl::MutexLock lock(&mu_);
  const absl::Time now = clock_.Now(wall, store_.environment.clock->Steady());
  if (clock_.doubts() && !doubt_was_logged_) TellDoubt(wall, now);
  doubt_was_logged_ = clock_.doubts();
  return now;
}

void RetentionPass::CheckTopic(const Topic& topic, absl::Time now,
                               const std::stop_token& stop) {
  for (int32_t i = 0; i < topic.config.partitions; ++i) {
    if (stop.stop_requested()) return;
    absl::Status status = CheckPartition(topic, i, now);
    // Records that are too old stay; the next pass tries again.
    if (!status.ok()) Note(PartitionDirectoryName(topic.name, i), status);
  }
}

absl::Status RetentionPass::CheckPartition(const Topic& topic,
                                           int32_t partition, absl::Time now) {
  absl::StatusOr<std::shared_ptr<PartitionLog>> log =
      OpenIfNeeded(topic, partition, now);
  if (!log.ok() || *log == nullptr) return log.status();
  return CheckLog(**log, now);
}

absl::Status RetentionPass::CheckLog(PartitionLog& log, absl::Time now) {
  const int64_t log_start = log.log_start();
  const absl::StatusOr<RetentionDecision> decision = ApplyRetention(log, now);
  TellGivenUp(store_.environment, log, log_start);
  return decision.status();
}

// Returns null when it is not open, and need not be.
absl::StatusOr<std::shared_ptr<PartitionLog>> RetentionPass::OpenIfNeeded(
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

void RetentionPass::ExpireProducers(absl::Time now) {
  const ProducerStates::Expiration expiration = {
      .now_ms = std::max<int64_t>(absl::ToUnixMillis(now), 0),
      .expiration_ms =
          absl::ToInt64Milliseconds(store_.producer_id_expiration)};
  for (const std::shared_ptr<PartitionLog>& log : store_.partitions->opened())
    log->ExpireProducers(expiration);
}

void RetentionPass::DeleteTrimmed() {
  struct Trimmed {
    std::shared_ptr<PartitionLog> log;
    int64_t log_start = 0;
  };
  std::vector<Trimmed> trimmed;
  for (std::shared_ptr<PartitionLog>& log : store_.partitions->opened()) {
    if (log->trimmed_count() == 0) continue;
    const int64_t log_start = log->log_start();
    trimmed.push_back({.log = std::move(log), .log_start = log_start});
  }
  if (trimmed.empty()) return;
  absl::Status status = store_.events->WriteCheckpoint();
  // A file that is deleted before the checkpoint would look like a loss.
  if (!status.ok()) {
    NoteDutyFailure(store_.environment, *store_.meters,
                    "checkpoint before a deletion", status);
    return;
  }
  for (const Trimmed& entry : trimmed) {
    absl::Status deleted = entry.log->DeleteTrimmed(entry.log_start);
    if (deleted.ok()) continue;
    NoteDutyFailure(store_.environment, *store_.meters, "deletion", deleted);
  }
}

// It is no more than a hint: without it the store's next process looks sooner.
void RetentionPass::KeepState(const std::vector<Topic>& topics) {
  const bool has_retention = std::any_of(
      topics.begin(), topics.end(),
      [](const Topic& topic) { return HasRetention(topic.config.log); });
  if (!has_retention) return;
  RetentionClock::State state;
  {
    absl::MutexLock lock(&mu_);
    state = clock_.state();
    last_run_ = state.wall;
  }
  WriteRetentionState(*store_.directory, state).IgnoreError();  // a hint only
}

void RetentionPass::Note(std::string_view what,
                         const absl::Status& status) const {
  NoteDutyFailure(store_.environment, *store_.meters,
                  absl::StrCat(what, ": retention"), status);
}

void RetentionPass::TellDoubt(absl::Time wall, absl::Time now) const {
  const std::string text =
      absl::StrCat(store_.directory->path(), ": the clock jumped to ",
                   absl::FormatTime(wall),
                   "; until that has held for a day, retention goes by ",
                   absl::FormatTime(now));
  store_.environment.Log({.severity = absl::LogSeverity::kWarning,
                          .event = LogEvent::kRetention,
                          .path = store_.directory->path(),
                          .text = text});
}

}  // namespace varve
