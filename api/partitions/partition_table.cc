// SPDX-License-Identifier: Apache-2.0

#include "varve/api/partitions/partition_table.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/metrics/store_meters.h"
#include "varve/api/partitions/partition_identity.h"
#include "varve/api/partitions/recovery_notices.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/recovery/partition_recovery.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/transient_directory.h"

namespace varve {

PartitionTable::PartitionTable(std::shared_ptr<Directory> directory,
                               const StoreOptions& options,
                               std::shared_ptr<StoreEvents> events,
                               std::shared_ptr<StoreMeters> meters,
                               FoundCheckpoint checkpoint, Shutdown shutdown,
                               Lookup lookup)
    : directory_(std::move(directory)),
      options_(options),
      events_(std::move(events)),
      meters_(std::move(meters)),
      shutdown_(shutdown),
      lookup_(std::move(lookup)),
      checkpoint_origin_(checkpoint.origin),
      decompressor_(options.codecs),
      checkpoint_(std::move(checkpoint.partitions)) {}

absl::StatusOr<std::shared_ptr<PartitionLog>> PartitionTable::Open(
    std::string_view topic_name, int32_t partition) {
  const Key key = {std::string(topic_name), partition};
  while (true) {
    absl::StatusOr<std::shared_ptr<PartitionLog>> log = FindOpened(key);
    if (!log.ok() || *log != nullptr) return log;
    // This comes first, so that nothing is kept for a partition that does not
    // exist.
    if (absl::Status status = FindTopic(key).status(); !status.ok())
      return status;
    const Opening opening = OpeningOf(key);
    absl::MutexLock turn(opening.get());
    log = OpenInTurn(key, opening);
    // If not, the topic was deleted meanwhile; there may be a new one.
    if (IsPresent(key, opening)) return log;
  }
}

absl::StatusOr<std::shared_ptr<PartitionLog>> PartitionTable::OpenInTurn(
    const Key& key, const Opening& opening) {
  absl::StatusOr<std::shared_ptr<PartitionLog>> found = FindOpened(key);
  if (!found.ok() || *found != nullptr) return found;
  // The topic is looked up before `IsPresent`, so that `opening` is not that of
  // another topic of the same name.
  absl::StatusOr<Topic> topic = FindTopic(key);
  if (!topic.ok()) return topic.status();
  if (!IsPresent(key, opening)) return nullptr;
  absl::StatusOr<std::unique_ptr<Directory>> directory = OpenDirectory(key);
  if (!directory.ok()) return directory.status();
  absl::StatusOr<RecoveredLog> recovered =
      RecoveredOrRecover(**directory, *topic, key);
  if (!recovered.ok()) return recovered.status();
  std::shared_ptr<PartitionLog> log = MakeLog(*topic, key, *recovered);
  if (absl::Status status = Publish(key, opening, log); !status.ok())
    return status;
  // Its meters may have been made after those of its topic were forgotten.
  if (!IsPresent(key, opening)) meters_->ForgetTopic(topic->id);
  return log;
}

bool PartitionTable::IsPresent(const Key& key, const Opening& opening) const {
  absl::MutexLock lock(&mu_);
  auto it = openings_.find(key);
  return it != openings_.end() && it->second == opening;
}

// Lets others see the log, with the configs that came while it was opened,
// unless its topic was deleted meanwhile.
absl::Status PartitionTable::Publish(const Key& key, const Opening& opening,
                                     const std::shared_ptr<PartitionLog>& log) {
  while (true) {
    LogConfig config;
    {
      absl::MutexLock lock(&mu_);
      if (closed_) return absl::FailedPreconditionError("the store is closed");
      auto present = openings_.find(key);
      if (present == openings_.end() || present->second != opening)
        return absl::OkStatus();
      auto changed = new_configs_.find(key);
      if (changed == new_configs_.end()) {
        recovered_.erase(key);
        logs_.emplace(key, log);
        // A deletion that was cut short has left files.
        if (log->trimmed_count() > 0) events_->RetentionWanted(*log);
        return absl::OkStatus();
      }
      config = changed->second;
      new_configs_.erase(changed);
    }
    // It fails for a log that is closed or poisoned: that log's calls say so.
    log->SetConfig(config).IgnoreError();
  }
}

void PartitionTable::Remove(const Topic& topic) {
  // What may throw comes first: a log that is taken out is abandoned.
  std::vector<std::shared_ptr<PartitionLog>> logs;
  logs.reserve(static_cast<size_t>(topic.config.partitions));
  Key key = {topic.name, 0};
  {
    absl::MutexLock lock(&mu_);
    for (; key.second < topic.config.partitions; ++key.second) {
      openings_.erase(key);
      new_configs_.erase(key);
      recovered_.erase(key);
      checkpoint_.erase(key);
      auto log = logs_.extract(key);
      if (!log.empty()) logs.push_back(std::move(log.mapped()));
    }
  }
  for (const std::shared_ptr<PartitionLog>& log : logs) log->Abandon();
  meters_->ForgetTopic(topic.id);
}

absl::StatusOr<Topic> PartitionTable::FindTopic(const Key& key) const {
  const auto& [name, partition] = key;
  absl::StatusOr<Topic> topic = lookup_.topic(name);
  if (!topic.ok()) return topic.status();
  if (partition >= 0 && partition < topic->config.partitions) return topic;
  return absl::OutOfRangeError(
      absl::StrCat("topic \"", name, "\" has no partition ", partition,
                   "; it has 0 to ", topic->config.partitions - 1));
}

void PartitionTable::SetConfig(const Topic& topic) {
  std::vector<std::shared_ptr<PartitionLog>> logs;
  {
    absl::MutexLock lock(&mu_);
    for (int32_t partition = 0; partition < topic.config.partitions;
         ++partition) {
      const Key key = {topic.name, partition};
      if (auto it = logs_.find(key); it != logs_.end()) {
        logs.push_back(it->second);
      } else if (openings_.contains(key)) {
        new_configs_.insert_or_assign(key, topic.config.log);
      }
      if (auto it = recovered_.find(key); it != recovered_.end()) {
        it->second.topic.config.log = topic.config.log;
      }
    }
  }
  for (const std::shared_ptr<PartitionLog>& log : logs) {
    // It fails for a log that is closed or poisoned: that log's calls say so.
    log->SetConfig(topic.config.log).IgnoreError();
  }
}

absl::Status PartitionTable::Recover(const Topic& topic, int32_t partition) {
  const Key key = {topic.name, partition};
  const Opening opening = OpeningOf(key);
  absl::MutexLock turn(opening.get());
  absl::StatusOr<std::unique_ptr<Directory>> directory = OpenDirectory(key);
  if (!directory.ok()) return directory.status();
  absl::StatusOr<RecoveredLog> recovered =
      RecoveredOrRecover(**directory, topic, key);
  if (!recovered.ok()) return recovered.status();
  absl::MutexLock lock(&mu_);
  checkpoint_[key] = {.log_start = recovered->log_start,
                      .recovery_point = recovered->next_offset,
                      .first_dirty = recovered->first_dirty};
  recovered_.insert_or_assign(
      key, Recovered{.topic = topic, .log = *std::move(recovered)});
  return absl::OkStatus();
}

std::shared_ptr<PartitionLog> PartitionTable::MakeLog(
    const Topic& topic, const Key& key, const RecoveredLog& recovered) const {
  return std::make_shared<PartitionLog>(
      std::make_unique<TransientDirectory>(
          directory_, PartitionDirectoryName(key.first, key.second)),
      PartitionLog::Options{
          .config = topic.config.log,
          .continuity = topic.continuity(),
          .environment = options_.environment,
          .sync_interval = options_.sync_interval,
          .decompressor = decompressor_,
          .listener = events_,
          .open_segments = open_segments_,
          .meters = meters_->Of(key.first, topic.id, key.second)},
      recovered);
}

PartitionTable::Opening PartitionTable::OpeningOf(const Key& key) {
  absl::MutexLock lock(&mu_);
  Opening& opening = openings_[key];
  if (opening == nullptr) opening = std::make_shared<absl::Mutex>();
  return opening;
}

// Returns null when it is not open.
absl::StatusOr<std::shared_ptr<PartitionLog>> PartitionTable::FindOpened(
    const Key& key) {
  absl::MutexLock lock(&mu_);
  if (closed_) return absl::FailedPreconditionError("the store is closed");
  auto it = logs_.find(key);
  return it == logs_.end() ? nullptr : it->second;
}

std::shared_ptr<PartitionLog> PartitionTable::OpenedLog(
    std::string_view topic, int32_t partition) const {
  absl::MutexLock lock(&mu_);
  auto it = logs_.find({std::string(topic), partition});
  return it == logs_.end() ? nullptr : it->second;
}

absl::StatusOr<std::unique_ptr<Directory>> PartitionTable::OpenDirectory(
    const Key& key) {
  const std::string name = PartitionDirectoryName(key.first, key.second);
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      directory_->OpenDirectory(name);
  if (!absl::IsNotFound(directory.status())) return directory;
  return absl::DataLossError(
      absl::StrCat(directory_->PathOf(name),
                   ": the partition's directory is gone: restore it"));
}

absl::StatusOr<RecoveredLog> PartitionTable::RecoveredOrRecover(
    Directory& directory, const Topic& topic, const Key& key) {
  PartitionCheckpoint checkpoint = {.origin = checkpoint_origin_};
  {
    absl::MutexLock lock(&mu_);
    if (auto it = recovered_.find(key); it != recovered_.end()) {
      return it->second.log;
    }
    if (auto it = checkpoint_.find(key); it != checkpoint_.end()) {
      checkpoint = it->second;
    }
  }
  std::string note;
  absl::Status status =
      CheckPartitionIdentity(directory, topic, lookup_.name_of_id, note);
  if (!status.ok()) return status;
  absl::StatusOr<RecoveredLog> log = RecoverFiles(directory, topic, checkpoint);
  // NotFound is for topics alone: here a file was removed during the opening.
  if (absl::IsNotFound(log.status()))
    return absl::DataLossError(log.status().message());
  if (!log.ok()) return log.status();
  if (!note.empty()) log->report.notes.push_back(note);
  meters_->NoteRecovery(log->report);
  TellRecovery(options_.environment, log->report);
  absl::MutexLock lock(&mu_);
  recoveries_.push_back(log->report);
  return log;
}

absl::StatusOr<RecoveredLog> PartitionTable::RecoverFiles(
    Directory& directory, const Topic& topic,
    const PartitionCheckpoint& checkpoint) {
  const PartitionFacts outline = {.checkpoint = checkpoint,
                                  .continuity = topic.continuity()};
  std::string reason;
  if (shutdown_ == Shutdown::kClean) {
    absl::StatusOr<RecoveredLog> log = OpenCleanPartition(directory, outline);
    if (log.ok() || !absl::IsDataLoss(log.status())) return log;
    reason = log.status().message();
    if (absl::Status status = events_->BeforeFirstChange(); !status.ok()) {
      return status;
    }
  }
  absl::StatusOr<RecoveredLog> log =
      RecoverPartition(directory, topic.config.log, outline);
  if (log.ok() && !reason.empty()) {
    log->report.notes.insert(
        log->report.notes.begin(),
        absl::StrCat("not as a clean shutdown left it: ", reason));
  }
  return log;
}

void PartitionTable::SetCheckpoint(const StoreCheckpoint& bounds) {
  absl::MutexLock lock(&mu_);
  for (const auto& [key, checkpoint] : bounds) checkpoint_[key] = checkpoint;
}

std::vector<std::shared_ptr<PartitionLog>> PartitionTable::opened() const {
  absl::MutexLock lock(&mu_);
  std::vector<std::shared_ptr<PartitionLog>> logs;
  logs.reserve(logs_.size());
  for (const auto& [key, log] : logs_) logs.push_back(log);
  return logs;
}

StoreCheckpoint PartitionTable::checkpoint() const {
  absl::MutexLock lock(&mu_);
  StoreCheckpoint checkpoint = checkpoint_;
  for (const auto& [key, log] : logs_) checkpoint[key] = log->checkpoint();
  return checkpoint;
}

std::vector<PartitionRecoveryReport> PartitionTable::recoveries() const {
  absl::MutexLock lock(&mu_);
  return recoveries_;
}

absl::Status PartitionTable::Close() {
  {
    absl::MutexLock lock(&mu_);
    closed_ = true;
  }
  absl::Status first;
  for (const std::shared_ptr<PartitionLog>& log : opened()) {
    first.Update(log->Close());
  }
  first.Update(CloseAllRecovered());
  return first;
}

// When one throws, it and the rest stay for the next call.
absl::Status PartitionTable::CloseAllRecovered() {
  absl::Status first;
  while (true) {
    std::map<Key, Recovered>::node_type next;
    {
      absl::MutexLock lock(&mu_);
      if (recovered_.empty()) return first;
      next = recovered_.extract(recovered_.begin());
    }
    try {
      first.Update(CloseRecovered(next.key(), next.mapped()));
    } catch (...) {
      absl::MutexLock lock(&mu_);
      recovered_.insert(std::move(next));
      throw;
    }
  }
}

// A recovered partition keeps the epoch that its next append begins, whether or
// not it was opened.
absl::Status PartitionTable::CloseRecovered(const Key& key,
                                            const Recovered& recovered) {
  return MakeLog(recovered.topic, key, recovered.log)->Close();
}

}  // namespace varve
