// SPDX-License-Identifier: Apache-2.0

#include "varve/api/topics/pending_deletions.h"

#include <algorithm>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/system/file_system.h"

namespace varve {

void PendingDeletions::Add(const std::string& name, absl::Time due) {
  absl::MutexLock lock(&mu_);
  due_.insert_or_assign(name, due);
}

absl::Status PendingDeletions::AddLeftovers() {
  absl::StatusOr<std::vector<DirectoryEntry>> entries = data_->List();
  if (!entries.ok()) return entries.status();
  absl::MutexLock lock(&mu_);
  for (const DirectoryEntry& entry : *entries) {
    if (entry.kind != EntryKind::kDirectory) continue;
    if (!IsDeletedDirectoryName(entry.name)) continue;
    due_.emplace(entry.name, absl::InfinitePast());
  }
  return absl::OkStatus();
}

absl::Time PendingDeletions::next_due() const {
  absl::MutexLock lock(&mu_);
  absl::Time next = absl::InfiniteFuture();
  for (const auto& [name, due] : due_) next = std::min(next, due);
  return next;
}

std::vector<std::string> PendingDeletions::TakeDue(absl::Time now) {
  absl::MutexLock lock(&mu_);
  std::vector<std::string> names;
  for (const auto& [name, due] : due_) {
    if (due <= now) names.push_back(name);
  }
  for (const std::string& name : names) due_.erase(name);
  return names;
}

void PendingDeletions::RemoveDue(absl::Time now, Failed failed,
                                 const std::stop_token& stop) {
  for (const std::string& name : TakeDue(now)) {
    if (stop.stop_requested()) {
      Add(name, now);
      continue;
    }
    absl::Status status = Remove(name);
    if (status.ok()) continue;
    failed(status);
    Add(name, now + kRetryDelay);
  }
}

absl::Status PendingDeletions::Remove(const std::string& name) {
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      data_->OpenDirectory(name);
  if (absl::IsNotFound(directory.status())) return absl::OkStatus();
  if (!directory.ok()) return directory.status();
  absl::StatusOr<std::vector<DirectoryEntry>> entries = (*directory)->List();
  if (!entries.ok()) return entries.status();
  for (const DirectoryEntry& entry : *entries) {
    absl::Status status = (*directory)->RemoveFile(entry.name);
    if (!status.ok()) return status;
  }
  return data_->RemoveDirectory(name);
}

}  // namespace varve
