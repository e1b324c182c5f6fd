// SPDX-License-Identifier: Apache-2.0

#include "varve/api/store/store_state.h"

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/log_severity.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/api/catalog/store_files.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/duty/duty_notices.h"
#include "varve/api/duty/side_by_side.h"
#include "varve/api/duty/store_duties.h"
#include "varve/api/metrics/metrics_file.h"
#include "varve/api/metrics/store_meters.h"
#include "varve/api/partitions/checkpoint_writer.h"
#include "varve/api/partitions/limit_keeper.h"
#include "varve/api/partitions/partition_parking.h"
#include "varve/api/partitions/partition_table.h"
#include "varve/api/partitions/store_events.h"
#include "varve/api/recovery_report.h"
#include "varve/api/retention/retention_pass.h"
#include "varve/api/retention/retention_state.h"
#include "varve/api/space/free_space_guard.h"
#include "varve/api/space/guarded_directory.h"
#include "varve/api/store/data_directory.h"
#include "varve/api/store/file_system_check.h"
#include "varve/api/store/found_store.h"
#include "varve/api/store_metrics.h"
#include "varve/api/store_options.h"
#include "varve/api/topics/config_notices.h"
#include "varve/api/topics/topic_administration.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/meters/metered_directory.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/file_system_type.h"
#include "varve/log/system/log_sink.h"

namespace varve {
namespace {

// The log reports to its sink through the environment.
StoreOptions WithSink(StoreOptions options) {
  if (options.log_sink) options.environment.log_sink = options.log_sink;
  return options;
}

}  // namespace

StoreState::StoreState(std::shared_ptr<Directory> directory,
                       std::shared_ptr<FreeSpaceGuard> space,
                       std::unique_ptr<File> lock, const StoreOptions& options,
                       std::shared_ptr<StoreMeters> meters,
                       FileSystemType file_system, FoundStore found)
    : directory_(std::move(directory)),
      space_(std::move(space)),
      options_(options),
      clean_(found.clean),
      checkpoint_is_stand_in_(found.checkpoint.origin ==
                              CheckpointOrigin::kStandIn),
      file_system_(file_system),
      notes_(std::move(found.notes)),
      events_(std::make_shared<StoreEvents>(
          directory_, found.clean ? StoreEvents::Marker::kPresent
                                  : StoreEvents::Marker::kAbsent)),
      meters_(std::move(meters)),
      maintenance_(std::make_shared<MaintenanceGate>(
          [events = std::weak_ptr<StoreEvents>(events_)] {
            if (const auto held = events.lock(); held != nullptr)
              held->maintain_bell().Ring();
          })),
      lock_(std::move(lock)),
      partitions_(
          directory_, options_, events_, meters_, std::move(found.checkpoint),
          found.clean ? PartitionTable::Shutdown::kClean
                      : PartitionTable::Shutdown::kUnclean,
          {.topic =
               [this](std::string_view name) {
                 return topics_.FindTopic(name);
               },
           .name_of_id =
               [this](TopicId id) { return topics_.catalog().NameOf(id); }}),
      topics_(directory_, options_.environment, events_, &meters_->log(),
              &partitions_, std::move(found.catalog), found.checkpoint_state),
      checkpoint_writer_(std::make_shared<CheckpointWriter>(
          directory_, meters_, [this] { return partitions_.checkpoint(); })),
      parking_(std::make_shared<PartitionParking>(
          PartitionParking::Limits::OfProcess(), partitions_.open_segments(),
          [this] { return partitions_.opened(); })),
      limit_keeper_(std::make_shared<LimitKeeper>(
          checkpoint_writer_, options_.environment, meters_)),
      retention_({.directory = directory_,
                  .partitions = &partitions_,
                  .events = events_,
                  .topics = [this] { return topics_.topics(); },
                  .environment = options_.environment,
                  .meters = &meters_->log(),
                  .producer_id_expiration = options_.producer_id_expiration},
                 ReadRetentionState(*directory_)),
      compaction_(
          {.partitions = &partitions_,
           .topics = [this] { return topics_.topics(); },
           .environment = options_.environment,
           .meters = &meters_->log(),
           .map_memory_bytes = options_.compaction_map_bytes,
           .bytes_per_second = options_.compaction_bytes_per_second,
           .pinned_deleted_bytes =
               [this] {
                 return meters_->Snapshot().holdings.pins.deleted_bytes;
               },
           .pinned_deleted_bytes_max = options_.pinned_deleted_bytes_max}),
      size_limit_(MakeSizeLimit()),
      producer_ids_(directory_, options_.environment),
      side_by_side_(options_.background == Background::kNone
                        ? 0
                        : SideBySide::kThreadsMax),
      duties_(options_.environment.clock) {
  events_->SetHandlers(checkpoint_writer_, parking_, limit_keeper_);
  topics_.SetConfigChanged(
      [this](const Topic& topic) { retention_.RunTopic(topic); });
  events_->SetSegmentBegun([this](PartitionLog& log) {
    if (size_limit_ != nullptr) size_limit_->NoteSegmentBegun(log);
    if (compaction_.NoteSegmentBegun(log)) events_->maintain_bell().Ring();
  });
  SetSpaceWake();
}

absl::StatusOr<std::unique_ptr<StoreState>> StoreState::Open(
    const std::string& path, const StoreOptions& options) {
  if (absl::Status status = options.Validate(); !status.ok()) return status;
  Clock& clock = *options.environment.clock;
  const absl::Time begin = clock.Steady();
  auto meters = std::make_shared<StoreMeters>(&clock);
  absl::StatusOr<std::unique_ptr<Directory>> opened =
      OpenDataDirectory(path, options);
  if (!opened.ok()) return opened.status();
  std::shared_ptr<Directory> directory = std::make_shared<MeteredDirectory>(
      *std::move(opened), meters->log().held);
  absl::StatusOr<FileSystemType> type =
      CheckFileSystem(*directory, options.file_system);
  if (!type.ok()) return type.status();
  absl::StatusOr<std::unique_ptr<File>> lock =
      LockDataDirectory(*directory, options);
  if (!lock.ok()) return lock.status();
  absl::StatusOr<FoundStore> found = FindStore(*directory);
  if (!found.ok()) return found.status();
  std::shared_ptr<FreeSpaceGuard> space;
  if (options.free_space_floor_bytes > 0) {
    space = std::make_shared<FreeSpaceGuard>(
        directory, FreeSpaceGuard::Marks::Of(options), &clock);
    directory = std::make_shared<GuardedDirectory>(
        directory, space,
        KeepsAllocatedBlocks(SupportOf(*type)) ? BlockUse::kAllocated
                                               : BlockUse::kWritten);
  }
  std::unique_ptr<StoreState> state(
      new StoreState(directory, space, *std::move(lock), WithSink(options),
                     meters, *type, *std::move(found)));
  if (!state->clean_ || state->checkpoint_is_stand_in_) state->RecoverAll();
  state->TellNotes();
  state->checkpoint_writer_->RefillReserve();
  meters->NoteOpened(clock.Steady() - begin);
  TellConfigWarnings(state->options_.environment, path,
                     state->topics_.topics());
  state->AddDuties();
  if (options.background == Background::kNone) return state;
  if (absl::Status status = state->duties_.Start(); !status.ok()) {
    return status;
  }
  return state;
}

// Called after an unclean shutdown; and without a sound checkpoint, before
// another is written, which would seem to cover partitions that were not looked
// at. A partition that cannot be recovered does not keep the others from
// opening: its error is returned when it is asked for. The store is then not
// marked as closed cleanly, so that the next open recovers it.
void StoreState::RecoverAll() {
  for (const Topic& topic : topics_.topics()) {
    for (int32_t partition = 0; partition < topic.config.partitions;
         ++partition) {
      absl::Status status = partitions_.Recover(topic, partition);
      if (status.ok()) continue;
      meters_->log().open_errors.Add(status);
      notes_.push_back(std::string(status.message()));
      recovered_all_ = false;
    }
  }
  absl::Status status =
      checkpoint_writer_->Write(CheckpointWriter::Room::kReserved);
  if (status.ok()) return;
  // The old one is still a lower bound, and reads need none.
  notes_.push_back(std::string(status.message()));
  events_->CheckpointChanged();
}

// Reports the notes to the log sink, for programs that do not look at the
// recovery report.
void StoreState::TellNotes() const {
  for (const std::string& note : notes_) {
    options_.environment.Log({.severity = absl::LogSeverity::kWarning,
                              .event = LogEvent::kRecovery,
                              .path = path(),
                              .text = absl::StrContains(note, path())
                                          ? note
                                          : absl::StrCat(path(), ": ", note)});
  }
}

absl::StatusOr<std::shared_ptr<PartitionLog>> StoreState::OpenPartition(
    std::string_view topic, int32_t partition) {
  auto log = partitions_.Open(topic, partition);
  // The caller gets the error of asking for what does not exist.
  if (!log.ok() && !absl::IsNotFound(log.status()) &&
      !absl::IsOutOfRange(log.status())) {
    meters_->log().open_errors.Add(log.status());
  }
  return log;
}

RecoveryReport StoreState::recovery_report() const {
  return {
      .clean = clean_, .partitions = partitions_.recoveries(), .notes = notes_};
}

StoreMetrics StoreState::metrics() const {
  StoreMetrics metrics = meters_->Snapshot();
  metrics.taken_at = options_.environment.clock->Now();
  metrics.disk = AddLimits(metrics.disk);
  metrics.compaction = compaction_.metrics();
  metrics.maintenance_is_paused = maintenance_->is_closed();
  AddToMetrics add_groups;
  {
    absl::MutexLock lock(&mu_);
    metrics.is_open = !closed_;
    add_groups = group_metrics_;
  }
  if (add_groups != nullptr) add_groups(metrics);
  for (const std::shared_ptr<PartitionLog>& log : partitions_.opened()) {
    ++metrics.open_partitions;
    metrics.segments += log->segment_count();
  }
  return metrics;
}

void StoreState::SetGroupMetrics(AddToMetrics add) {
  absl::MutexLock lock(&mu_);
  group_metrics_ = std::move(add);
}

// After a call that threw, the next one does it all again.
absl::Status StoreState::Close() {
  absl::MutexLock closing(&closing_);
  {
    absl::MutexLock lock(&mu_);
    if (close_has_ended_) return close_status_;
    closed_ = true;
  }
  duties_.Stop();
  calls_.CloseAndWait();
  topics_.Close();
  duties_.Finish();
  parking_->Stop();
  limit_keeper_->Stop();
  if (size_limit_ != nullptr) size_limit_->Stop();
  absl::Status status = partitions_.Close();
  events_->callbacks().CallDue();  // no thread but this one calls any now
  if (metrics_file_ != nullptr) metrics_file_->WriteIfChanged();
  if (status.ok() && !events_->marker_present() && recovered_all_) {
    status = MarkClosed();
  }
  checkpoint_writer_->Stop();
  lock_ = nullptr;
  absl::MutexLock lock(&mu_);
  close_has_ended_ = true;
  close_status_ = status;
  return status;
}

void StoreState::NoteFailure(std::string_view what,
                             const absl::Status& status) const {
  NoteDutyFailure(options_.environment, meters_->log(),
                  absl::StrCat(path(), ": ", what), status);
}

void StoreState::TellNotClosed(const absl::Status& status) const {
  Tell(absl::LogSeverity::kError, LogEvent::kClose, status);
}

void StoreState::Tell(absl::LogSeverity severity, LogEvent event,
                      const absl::Status& status) const {
  const std::string text = absl::StrCat(
      path(), event == LogEvent::kClose ? ": not closed cleanly: " : ": ",
      status.ToString());
  options_.environment.Log({.severity = severity,
                            .event = event,
                            .path = path(),
                            .text = text,
                            .code = status.code()});
}

// The mark comes last: it says that all the rest is in order and durable.
absl::Status StoreState::MarkClosed() {
  if (absl::Status status =
          checkpoint_writer_->Write(CheckpointWriter::Room::kReserved);
      !status.ok()) {
    return status;
  }
  // Kafka's copies may lag behind.
  absl::Status copied =
      WriteKafkaCheckpoints(*directory_, partitions_.checkpoint());
  if (!copied.ok()) {
    Tell(absl::LogSeverity::kWarning, LogEvent::kBackground, copied);
  }
  return checkpoint_writer_->WriteWithReserve(
      [this] { return WriteCleanShutdownMarker(*directory_); });
}

}  // namespace varve
