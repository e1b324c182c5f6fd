// SPDX-License-Identifier: Apache-2.0

#include "api/partition_table.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "api/partition_identity.h"
#include "api/store_checkpoint.h"
#include "api/topic_catalog.h"
#include "log/file_system.h"
#include "log/partition_log.h"
#include "log/partition_recovery.h"
#include "log/segment_name.h"
#include "log/transient_directory.h"

namespace varve {

PartitionTable::PartitionTable(std::shared_ptr<Directory> directory,
                               const StoreOptions& options,
                               std::shared_ptr<StoreEvents> events,
                               StoreCheckpoint checkpoint, Shutdown shutdown,
                               NameOfId name_of_id)
    : directory_(std::move(directory)),
      options_(options),
      events_(std::move(events)),
      shutdown_(shutdown),
      name_of_id_(std::move(name_of_id)),
      checkpoint_(std::move(checkpoint)) {}

absl::StatusOr<std::shared_ptr<PartitionLog>> PartitionTable::Open(
    const Topic& topic, int32_t partition) {
  const Key key = {topic.name, partition};
  absl::StatusOr<std::shared_ptr<PartitionLog>> found = FindOpened(key);
  if (!found.ok() || *found != nullptr) return found;
  const std::shared_ptr<absl::Mutex> opening = OpeningOf(key);
  absl::MutexLock turn(opening.get());
  found = FindOpened(key);
  if (!found.ok() || *found != nullptr) return found;
  absl::StatusOr<std::unique_ptr<Directory>> directory = OpenDirectory(key);
  if (!directory.ok()) return directory.status();
  absl::StatusOr<RecoveredLog> recovered =
      RecoveredOrRecover(**directory, topic, key);
  if (!recovered.ok()) return recovered.status();
  std::shared_ptr<PartitionLog> log = MakeLog(topic, key, *recovered);
  absl::MutexLock lock(&mu_);
  if (closed_) return absl::FailedPreconditionError("the store is closed");
  recovered_.erase(key);
  logs_.emplace(key, log);
  return log;
}

absl::Status PartitionTable::Recover(const Topic& topic, int32_t partition) {
  const Key key = {topic.name, partition};
  const std::shared_ptr<absl::Mutex> opening = OpeningOf(key);
  absl::MutexLock turn(opening.get());
  absl::StatusOr<std::unique_ptr<Directory>> directory = OpenDirectory(key);
  if (!directory.ok()) return directory.status();
  absl::StatusOr<RecoveredLog> recovered =
      RecoveredOrRecover(**directory, topic, key);
  if (!recovered.ok()) return recovered.status();
  absl::MutexLock lock(&mu_);
  checkpoint_[key] = {.log_start = recovered->log_start,
                      .recovery_point = recovered->next_offset};
  recovered_.insert_or_assign(
      key, Recovered{.topic = topic, .log = *std::move(recovered)});
  return absl::OkStatus();
}

std::shared_ptr<PartitionLog> PartitionTable::MakeLog(
    const Topic& topic, const Key& key, const RecoveredLog& recovered) const {
  return std::make_shared<PartitionLog>(
      std::make_unique<TransientDirectory>(
          directory_, PartitionDirectoryName(key.first, key.second)),
      PartitionLog::Options{.config = topic.config.log,
                            .environment = options_.environment,
                            .sync_interval = options_.sync_interval,
                            .listener = events_,
                            .open_segments = open_segments_},
      recovered);
}

std::shared_ptr<absl::Mutex> PartitionTable::OpeningOf(const Key& key) {
  absl::MutexLock lock(&mu_);
  std::shared_ptr<absl::Mutex>& opening = openings_[key];
  if (opening == nullptr) opening = std::make_shared<absl::Mutex>();
  return opening;
}

// Null when it is not opened.
absl::StatusOr<std::shared_ptr<PartitionLog>> PartitionTable::FindOpened(
    const Key& key) {
  absl::MutexLock lock(&mu_);
  if (closed_) return absl::FailedPreconditionError("the store is closed");
  auto it = logs_.find(key);
  return it == logs_.end() ? nullptr : it->second;
}

absl::StatusOr<std::unique_ptr<Directory>> PartitionTable::OpenDirectory(
    const Key& key) {
  const std::string name = PartitionDirectoryName(key.first, key.second);
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      directory_->OpenDirectory(name);
  if (!absl::IsNotFound(directory.status())) return directory;
  return absl::DataLossError(
      absl::StrCat(directory_->path(), "/", name,
                   ": the partition's directory is gone: restore it"));
}

absl::StatusOr<RecoveredLog> PartitionTable::RecoveredOrRecover(
    Directory& directory, const Topic& topic, const Key& key) {
  PartitionCheckpoint checkpoint;
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
      CheckPartitionIdentity(directory, topic, name_of_id_, note);
  if (!status.ok()) return status;
  absl::StatusOr<RecoveredLog> log = RecoverFiles(directory, topic, checkpoint);
  if (!log.ok()) return log.status();
  if (!note.empty()) log->report.notes.push_back(note);
  absl::MutexLock lock(&mu_);
  recoveries_.push_back(log->report);
  return log;
}

absl::StatusOr<RecoveredLog> PartitionTable::RecoverFiles(
    Directory& directory, const Topic& topic,
    const PartitionCheckpoint& checkpoint) {
  std::string reason;
  if (shutdown_ == Shutdown::kClean) {
    absl::StatusOr<RecoveredLog> log =
        OpenCleanPartition(directory, topic.config.log, checkpoint);
    if (log.ok() || !absl::IsDataLoss(log.status())) return log;
    reason = log.status().message();
    if (absl::Status status = events_->BeforeFirstChange(); !status.ok()) {
      return status;
    }
  }
  absl::StatusOr<RecoveredLog> log =
      RecoverPartition(directory, topic.config.log, checkpoint);
  if (log.ok() && !reason.empty()) {
    log->report.notes.insert(
        log->report.notes.begin(),
        absl::StrCat("not as a clean shutdown left it: ", reason));
  }
  return log;
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

std::vector<PartitionRecovery> PartitionTable::recoveries() const {
  absl::MutexLock lock(&mu_);
  return recoveries_;
}

absl::Status PartitionTable::Close() {
  std::map<Key, Recovered> recovered;
  {
    absl::MutexLock lock(&mu_);
    closed_ = true;
    recovered = std::move(recovered_);
    recovered_.clear();
  }
  absl::Status first;
  for (const std::shared_ptr<PartitionLog>& log : opened()) {
    first.Update(log->Close());
  }
  for (const auto& [key, entry] : recovered) {
    first.Update(CloseRecovered(key, entry));
  }
  return first;
}

// A partition that was recovered keeps the epoch that its next append begins,
// opened or not.
absl::Status PartitionTable::CloseRecovered(const Key& key,
                                            const Recovered& recovered) {
  return MakeLog(recovered.topic, key, recovered.log)->Close();
}

}  // namespace varve
