// SPDX-License-Identifier: Apache-2.0

// The part of TopicAdministration that takes in topics from elsewhere.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/partitions/partition_table.h"
#include "varve/api/partitions/store_events.h"
#include "varve/api/topics/config_notices.h"
#include "varve/api/topics/topic_administration.h"

namespace varve {

absl::Status TopicAdministration::PrepareAdoption(const Topic& topic) {
  // What groups have committed for an earlier topic of this id must not count
  // for the new one.
  if (absl::Status status = ForgetDueOffsets(); !status.ok()) return status;
  absl::MutexLock lock(&change_mu_);
  if (absl::Status status = CheckOpen(); !status.ok()) return status;
  const std::string other = catalog_.NameOf(topic.id);
  if (!other.empty() && other != topic.name) {
    return absl::AlreadyExistsError(
        absl::StrCat("topic \"", topic.name, "\" has the id of topic \"", other,
                     "\", which is in the store already"));
  }
  if (absl::Status status = catalog_.Get().Add(topic); !status.ok())
    return status;
  if (absl::Status status = CallBackDeletion(topic); !status.ok())
    return status;
  return MakeWayFor(topic.name);
}

// Of a deleted topic with this id the directories are not removed any more:
// they hold what is adopted now, as far as an interrupted call came.
absl::Status TopicAdministration::CallBackDeletion(const Topic& topic) {
  const std::vector<DeletedTopic> deleted = catalog_.deleted();
  const auto found =
      std::find_if(deleted.begin(), deleted.end(),
                   [&](const auto& one) { return one.topic.id == topic.id; });
  if (found == deleted.end()) return absl::OkStatus();
  if (found->has_offsets) {
    return absl::UnavailableError(absl::StrCat(
        "topic \"", topic.name,
        "\": what groups have committed for it before it was deleted is still "
        "to be removed: try again"));
  }
  if (absl::Status status = events_->BeforeFirstChange(); !status.ok())
    return status;
  TopicCatalog next = catalog_.Get();
  next.NoteDirectoriesGone(topic.id);
  return catalog_.Commit(std::move(next));
}

// The file says that the topic is deleted, and memory does not: nothing of it
// is removed as long as this process adopts it.
absl::Status TopicAdministration::BeginAdoption(const Topic& topic) {
  absl::MutexLock lock(&change_mu_);
  if (absl::Status status = CheckOpen(); !status.ok()) return status;
  if (absl::Status status = events_->BeforeFirstChange(); !status.ok())
    return status;
  TopicCatalog before = catalog_.Get();
  TopicCatalog next = before;
  absl::Status status = next.Add(topic);
  if (status.ok()) status = next.Remove(topic.name).status();
  if (status.ok()) status = catalog_.Commit(std::move(next));
  if (status.ok()) catalog_.Set(std::move(before));
  return status;
}

void TopicAdministration::FailAdoption(const Topic& topic) {
  absl::MutexLock lock(&change_mu_);
  TopicCatalog next = catalog_.Get();
  absl::Status status = next.Add(topic);
  if (status.ok()) status = next.Remove(topic.name).status();
  // It was possible when the adoption began.
  CHECK_OK(status);
  next.NoteDirectoriesGone(topic.id);
  catalog_.Set(std::move(next));
}

absl::Status TopicAdministration::Adopt(const Topic& topic,
                                        const StoreCheckpoint& bounds) {
  absl::MutexLock lock(&change_mu_);
  if (absl::Status status = CheckOpen(); !status.ok()) return status;
  if (absl::Status status = events_->BeforeFirstChange(); !status.ok())
    return status;
  TopicCatalog next = catalog_.Get();
  if (absl::Status status = next.Add(topic); !status.ok()) return status;
  // The directories' names, too, are durable before the catalog has them.
  if (absl::Status status = directory_->Sync(); !status.ok()) return status;
  partitions_->SetCheckpoint(bounds);
  absl::Status status = events_->WriteCheckpoint();
  if (status.ok()) status = catalog_.Commit(std::move(next));
  if (status.ok()) {
    TellConfigWarnings(environment_, directory_->path(), topic);
  } else if (!catalog_.in_doubt()) {
    partitions_->Remove(topic);
    checkpoint_ = CheckpointState::kStale;
  }
  return status;
}

}  // namespace varve
