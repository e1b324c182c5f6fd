// SPDX-License-Identifier: Apache-2.0

#include "varve/api/topics/topic_administration.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/api/catalog/store_files.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/duty/duty_notices.h"
#include "varve/api/partitions/partition_table.h"
#include "varve/api/partitions/store_events.h"
#include "varve/api/topic_changes.h"
#include "varve/api/topic_config.h"
#include "varve/api/topics/config_notices.h"
#include "varve/api/topics/pending_deletions.h"
#include "varve/api/topics/topic_creation.h"
#include "varve/api/topics/topic_deletion.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/metadata/topic_name.h"
#include "varve/log/partition/log_meters.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// Topics whose names only Kafka and the store itself use are the store's.
absl::Status CheckOwner(std::string_view name, TopicOwner owner) {
  if (IsInternalTopicName(name) == (owner == TopicOwner::kStore))
    return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("topic \"", name, "\" ",
                   owner == TopicOwner::kUser
                       ? "is internal, the store's own: it makes and changes it"
                       : "is not internal"));
}

// Errors: InvalidArgument.
absl::StatusOr<Topic> AlteredTopic(Topic topic, const TopicChanges& changes) {
  absl::StatusOr<LogConfig> config = WithChanges(topic.config.log, changes);
  if (!config.ok()) return config.status();
  topic.config.log = *config;
  const int32_t before = topic.config.partitions;
  topic.config.partitions = changes.partitions.value_or(before);
  if (topic.config.partitions >= before) return topic;
  return absl::InvalidArgumentError(
      absl::StrCat("topic \"", topic.name, "\" has ", before,
                   " partitions and cannot have ", topic.config.partitions,
                   ": partitions can only be added, since each holds records"));
}

}  // namespace

TopicAdministration::TopicAdministration(std::shared_ptr<Directory> directory,
                                         const Environment& environment,
                                         std::shared_ptr<StoreEvents> events,
                                         LogMeters* meters,
                                         PartitionTable* partitions,
                                         TopicCatalog catalog,
                                         CheckpointState checkpoint)
    : directory_(std::move(directory)),
      environment_(environment),
      events_(std::move(events)),
      meters_(meters),
      partitions_(partitions),
      checkpoint_(checkpoint),
      pending_(directory_),
      catalog_(directory_, std::move(catalog)) {}

absl::Status TopicAdministration::CreateTopic(std::string_view name,
                                              const TopicConfig& config,
                                              TopicOwner owner) {
  if (absl::Status status = CheckOwner(name, owner); !status.ok())
    return status;
  absl::MutexLock lock(&change_mu_);
  if (absl::Status status = CheckOpen(); !status.ok()) return status;
  if (absl::Status status = MakeWayFor(name); !status.ok()) return status;
  const TopicId id =
      TopicId::Create(environment_.clock->NowMs(), environment_.Random(),
                      environment_.Random());
  const Topic topic = {.name = std::string(name), .id = id, .config = config};
  TopicCatalog next = catalog_.Get();
  if (absl::Status status = next.Add(topic); !status.ok()) return status;
  absl::Status status = CommitWithDirectories(std::move(next), topic, 0);
  if (status.ok()) TellConfigWarnings(environment_, directory_->path(), topic);
  return status;
}

absl::Status TopicAdministration::AlterTopic(std::string_view name,
                                             const TopicChanges& changes) {
  if (absl::Status status = CheckOwner(name, TopicOwner::kUser); !status.ok())
    return status;
  absl::MutexLock lock(&change_mu_);
  if (absl::Status status = CheckOpen(); !status.ok()) return status;
  const absl::StatusOr<Topic> before = FindTopic(name);
  if (!before.ok()) return before.status();
  absl::StatusOr<Topic> topic = AlteredTopic(*before, changes);
  if (!topic.ok()) return topic.status();
  if (topic->config == before->config) return absl::OkStatus();
  if (absl::Status status = Replace(*before, *topic); !status.ok())
    return status;
  if (!(topic->config.log == before->config.log)) {
    partitions_->SetConfig(*topic);
    TellConfigWarnings(environment_, directory_->path(), *topic);
    config_changed_(*topic);
  }
  return absl::OkStatus();
}

absl::Status TopicAdministration::Replace(const Topic& before,
                                          const Topic& topic) {
  const bool grows = topic.config.partitions > before.config.partitions;
  if (grows) {
    if (absl::Status status = MakeWayFor(topic.name); !status.ok())
      return status;
  }
  TopicCatalog next = catalog_.Get();
  absl::Status status = next.SetConfig(topic.name, topic.config);
  if (!status.ok()) return status;
  if (grows) {
    return CommitWithDirectories(std::move(next), topic,
                                 before.config.partitions);
  }
  status = events_->BeforeFirstChange();
  return status.ok() ? catalog_.Commit(std::move(next)) : status;
}

absl::Status TopicAdministration::DeleteTopic(std::string_view name) {
  if (absl::Status status = CheckOwner(name, TopicOwner::kUser); !status.ok())
    return status;
  if (absl::Status status = Remove(name); !status.ok()) return status;
  // The topic is deleted, even if its offsets cannot be: that is tried again.
  if (absl::Status status = ForgetDueOffsets(); !status.ok())
    NoteFailure(status);
  events_->maintain_bell().Ring();
  return absl::OkStatus();
}

absl::Status TopicAdministration::Remove(std::string_view name) {
  absl::MutexLock lock(&change_mu_);
  if (absl::Status status = CheckOpen(); !status.ok()) return status;
  TopicCatalog next = catalog_.Get();
  absl::StatusOr<Topic> topic = next.Remove(name);
  if (!topic.ok()) return topic.status();
  if (absl::Status status = events_->BeforeFirstChange(); !status.ok())
    return status;
  absl::Status committed =
      events_->WriteForDeletion([&] { return catalog_.Commit(next); });
  if (!committed.ok() && !catalog_.in_doubt()) return committed;
  // A topic that may not exist at the next open takes no more appends.
  if (!committed.ok()) catalog_.Set(std::move(next));
  checkpoint_ = CheckpointState::kStale;
  partitions_->Remove(*topic);
  if (!committed.ok()) return committed;
  // The topic is deleted, even if its files cannot be: that is tried again.
  absl::Status finished = FinishDeletions();
  if (!finished.ok()) NoteFailure(finished);
  return absl::OkStatus();
}

// Makes way for new topics with the names of deleted ones: the checkpoints do
// not list their partitions any more, and their directories are renamed.
absl::Status TopicAdministration::FinishDeletions() {
  TopicCatalog next = catalog_.Get();
  std::vector<Topic> due;
  for (const DeletedTopic& deleted : next.deleted()) {
    if (deleted.has_directories) due.push_back(deleted.topic);
  }
  if (checkpoint_ == CheckpointState::kCurrent && due.empty())
    return absl::OkStatus();
  if (absl::Status status = events_->BeforeFirstChange(); !status.ok())
    return status;
  if (absl::Status status = WriteCheckpoints(); !status.ok()) return status;
  // Do not rename a directory before the catalog on disk has stopped listing
  // its topic.
  if (catalog_.in_doubt()) {
    if (absl::Status status = catalog_.Commit(next); !status.ok())
      return status;
  }
  const absl::Time now = environment_.clock->Steady();
  for (const Topic& topic : due) {
    std::vector<std::string> renamed;
    absl::Status status = RenameDeletedPartitions(*directory_, next, topic,
                                                  environment_, renamed);
    const absl::Time removal =
        now + absl::Milliseconds(topic.config.log.file_delete_delay_ms);
    for (const std::string& directory : renamed)
      pending_.Add(directory, removal);
    if (!status.ok()) return status;
    next.NoteDirectoriesGone(topic.id);
    // The next change writes it to disk; until then the old entry does no harm.
    catalog_.Set(next);
  }
  return absl::OkStatus();
}

// A new partition must find neither the directory nor the recovery point of a
// deleted one.
absl::Status TopicAdministration::MakeWayFor(std::string_view name) {
  absl::Status status = FinishDeletions();
  if (status.ok() || checkpoint_ == CheckpointState::kStale) return status;
  for (const DeletedTopic& deleted : catalog_.deleted()) {
    if (deleted.has_directories && deleted.topic.name == name) return status;
  }
  // Other topics' directories can wait.
  NoteFailure(status);
  return absl::OkStatus();
}

void TopicAdministration::SetForgetOffsets(ForgetOffsets forget) {
  {
    absl::MutexLock lock(&change_mu_);
    forget_offsets_ = std::move(forget);
  }
  events_->maintain_bell().Ring();
}

// A deletion that is in doubt may turn out not to have happened.
std::vector<Topic> TopicAdministration::OffsetsToForget() {
  absl::MutexLock lock(&change_mu_);
  std::vector<Topic> due;
  if (closed_ || forget_offsets_ == nullptr || catalog_.in_doubt()) return due;
  for (const DeletedTopic& deleted : catalog_.deleted()) {
    if (deleted.has_offsets) due.push_back(deleted.topic);
  }
  return due;
}

// Offsets that are left do no harm, as they have the topic's id.
absl::Status TopicAdministration::ForgetDueOffsets() {
  for (const Topic& topic : OffsetsToForget()) {
    ForgetOffsets forget;
    {
      absl::MutexLock lock(&change_mu_);
      forget = forget_offsets_;
    }
    if (absl::Status status = forget(topic); !status.ok()) return status;
    absl::MutexLock lock(&change_mu_);
    TopicCatalog next = catalog_.Get();
    next.NoteOffsetsGone(topic.id);
    catalog_.Set(std::move(next));
  }
  return absl::OkStatus();
}

// Writes Kafka's copies, too: a store that has lost its own file reads them.
absl::Status TopicAdministration::WriteCheckpoints() {
  if (checkpoint_ == CheckpointState::kCurrent) return absl::OkStatus();
  absl::Status status = events_->WriteCheckpoint();
  if (status.ok()) {
    status = WriteKafkaCheckpoints(*directory_, partitions_->checkpoint());
  }
  if (status.ok()) checkpoint_ = CheckpointState::kCurrent;
  return status;
}

absl::Time TopicAdministration::DeletePending(const std::stop_token& stop) {
  const absl::Time retry = RetryDeletions();
  const absl::Time now = environment_.clock->Steady();
  if (pending_.next_due() <= now) {
    absl::Status status = events_->BeforeFirstChange();
    if (!status.ok()) {
      NoteFailure(status);
      return now + PendingDeletions::kRetryDelay;
    }
    pending_.RemoveDue(
        now, [this](const absl::Status& failure) { NoteFailure(failure); },
        stop);
  }
  return std::min(retry, pending_.next_due());
}

// Returns the time at which to call it again.
absl::Time TopicAdministration::RetryDeletions() {
  absl::Status status;
  {
    absl::MutexLock lock(&change_mu_);
    if (closed_) return absl::InfiniteFuture();
    status = FindLeftovers();
    if (status.ok()) status = FinishDeletions();
  }
  status.Update(ForgetDueOffsets());
  if (status.ok()) return absl::InfiniteFuture();
  NoteFailure(status);
  return environment_.clock->Steady() + PendingDeletions::kRetryDelay;
}

absl::Status TopicAdministration::FindLeftovers() {
  if (leftovers_found_) return absl::OkStatus();
  absl::Status status = pending_.AddLeftovers();
  leftovers_found_ = status.ok();
  return status;
}

void TopicAdministration::Close() {
  if (absl::Status status = ForgetDueOffsets(); !status.ok())
    NoteFailure(status);
  absl::MutexLock lock(&change_mu_);
  if (std::exchange(closed_, true)) return;
  absl::Status status = FindLeftovers();
  if (status.ok()) status = FinishDeletions();
  if (status.ok() && pending_.next_due() != absl::InfiniteFuture())
    status = events_->BeforeFirstChange();
  if (status.ok()) {
    pending_.RemoveDue(
        absl::InfiniteFuture(),
        [this](const absl::Status& failure) { NoteFailure(failure); });
    status = WriteWhatIsLeft();
  }
  // The next open finds what is left.
  if (!status.ok()) NoteFailure(status);
}

// Otherwise the next open would look for what is already removed.
absl::Status TopicAdministration::WriteWhatIsLeft() {
  if (!catalog_.is_behind()) return absl::OkStatus();
  absl::Status status = events_->BeforeFirstChange();
  return status.ok() ? catalog_.Commit(catalog_.Get()) : status;
}

void TopicAdministration::NoteFailure(const absl::Status& status) const {
  NoteDutyFailure(environment_, *meters_, "deletion of topics", status);
}

absl::Status TopicAdministration::CheckOpen() const {
  if (!closed_) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(directory_->path(), ": closed"));
}

// The directories of `topic` from partition `first` up are made first: a
// catalog lists only what exists.
absl::Status TopicAdministration::CommitWithDirectories(TopicCatalog next,
                                                        const Topic& topic,
                                                        int32_t first) {
  if (absl::Status status = events_->BeforeFirstChange(); !status.ok())
    return status;
  if (absl::Status status =
          CreatePartitionDirectories(*directory_, topic, first);
      !status.ok()) {
    return status;
  }
  absl::Status status = catalog_.Commit(std::move(next));
  if (!status.ok() && !catalog_.in_doubt())
    RemovePartitionDirectories(*directory_, topic, first);
  return status;
}

}  // namespace varve
