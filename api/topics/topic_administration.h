// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_TOPICS_TOPIC_ADMINISTRATION_H_
#define VARVE_API_TOPICS_TOPIC_ADMINISTRATION_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/stored_catalog.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/partitions/partition_table.h"
#include "varve/api/partitions/store_events.h"
#include "varve/api/topic_changes.h"
#include "varve/api/topic_config.h"
#include "varve/api/topics/pending_deletions.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/partition/log_meters.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Who wants a topic created: the store makes the internal ones, which a user
// may neither make nor change (log/metadata/topic_name.h).
enum class TopicOwner { kUser, kStore };

// Whether the checkpoint on disk may list partitions that no topic has.
enum class CheckpointState { kCurrent, kStale };

// The topics of an open store, and every change of them. The catalog on disk,
// varve.topics, is what decides: a change has happened when that file says so,
// and it is replaced atomically. Other files that a change makes are made
// durable before it, so that after a crash the change is there as a whole or
// not at all. What a deletion has to remove besides is removed after it: the
// file says whose directories and offsets are still to be removed, until they
// are, so that after a crash the next open continues with them.
//
// Borrows the meters and the partition table, which must outlive it.
//
// Thread safety: thread-safe. Changes are made one after another; looking a
// topic up waits for none of them. Lock order: `change_mu_`, then the catalog's
// or the partition table's locks. No other lock is taken with the catalog's
// held, so a topic may be looked up with any lock but these two. Offsets are
// forgotten with neither held.
class TopicAdministration {
 public:
  TopicAdministration(std::shared_ptr<Directory> directory,
                      const Environment& environment,
                      std::shared_ptr<StoreEvents> events, LogMeters* meters,
                      PartitionTable* partitions, TopicCatalog catalog,
                      CheckpointState checkpoint);

  // These do what LogStore says of them.
  absl::Status CreateTopic(std::string_view name, const TopicConfig& config,
                           TopicOwner owner = TopicOwner::kUser);
  absl::Status AlterTopic(std::string_view name, const TopicChanges& changes);
  absl::Status DeleteTopic(std::string_view name);

  // Called with a topic whose configs have changed, before AlterTopic returns;
  // the topic stays meanwhile. Set it before the first change.
  using ConfigChanged = std::function<void(const Topic&)>;
  void SetConfigChanged(ConfigChanged handler) {
    config_changed_ = std::move(handler);
  }

  // A topic that comes from elsewhere with its id, its records and the offsets
  // that groups have committed for it, and appears with all of them at once
  // (topic_adoption.cc). First its partitions' directories are made and filled;
  // then, between the two calls, the offsets are committed. After a crash the
  // topic is there, or the next open removes what the second call would have
  // made visible, as of a deleted topic, unless the first call is made again.
  //
  // Makes way for the topic; call it before anything of it is made. Errors:
  // AlreadyExists when it, or one of its name or its id, is there;
  // InvalidArgument for its name or config; Unavailable when one of its id was
  // deleted, and offsets of that are still to go; those of CreateTopic.
  absl::Status PrepareAdoption(const Topic& topic)
      ABSL_LOCKS_EXCLUDED(change_mu_);
  // Precondition: the topic __consumer_offsets is there if it will be needed.
  absl::Status BeginAdoption(const Topic& topic)
      ABSL_LOCKS_EXCLUDED(change_mu_);
  // Adds the topic. Its directories are complete and durable, and each of its
  // partitions ends at its recovery point in `bounds`.
  absl::Status Adopt(const Topic& topic, const StoreCheckpoint& bounds)
      ABSL_LOCKS_EXCLUDED(change_mu_);

  // Instead of `Adopt`, when the offsets cannot be committed: those that were
  // are forgotten again, by Close at the latest. The directories stay.
  void FailAdoption(const Topic& topic) ABSL_LOCKS_EXCLUDED(change_mu_);

  // To look topics up in.
  const StoredCatalog& catalog() const { return catalog_; }
  std::vector<Topic> topics() const { return catalog_.topics(); }
  absl::StatusOr<Topic> FindTopic(std::string_view name) const {
    return catalog_.FindTopic(name);
  }

  // Deletes the offsets that groups have committed for a deleted topic,
  // durably; it may be called again. Until one is set, that waits.
  using ForgetOffsets = std::function<absl::Status(const Topic&)>;
  void SetForgetOffsets(ForgetOffsets forget) ABSL_LOCKS_EXCLUDED(change_mu_);

  // Removes the files and the offsets of deleted topics, of earlier processes
  // too, that are due; returns when to call it again, by the clock's `Steady`.
  // A failure is logged, and is tried again a while later.
  absl::Time DeletePending(const std::stop_token& stop = {});

  // Refuses further changes, waits for one under way, and removes the files of
  // topics that were deleted, due or not: they can be read only through views,
  // which stay valid. Their offsets are tried once more. Idempotent.
  void Close();

 private:
  void NoteFailure(const absl::Status& status) const;
  absl::Status CheckOpen() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_mu_);
  absl::Status CommitWithDirectories(TopicCatalog next, const Topic& topic,
                                     int32_t first)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_mu_);
  absl::Status Replace(const Topic& before, const Topic& topic)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_mu_);
  absl::Status MakeWayFor(std::string_view name)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_mu_);
  absl::Status CallBackDeletion(const Topic& topic)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_mu_);
  absl::Status Remove(std::string_view name) ABSL_LOCKS_EXCLUDED(change_mu_);
  absl::Status FinishDeletions() ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_mu_);
  std::vector<Topic> OffsetsToForget() ABSL_LOCKS_EXCLUDED(change_mu_);
  absl::Status ForgetDueOffsets() ABSL_LOCKS_EXCLUDED(change_mu_);
  absl::Status WriteWhatIsLeft() ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_mu_);
  absl::Status WriteCheckpoints() ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_mu_);
  absl::Time RetryDeletions();
  absl::Status FindLeftovers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(change_mu_);

  // Constant after construction.
  const std::shared_ptr<Directory> directory_;
  const Environment environment_;
  const std::shared_ptr<StoreEvents> events_;
  LogMeters* const meters_;
  PartitionTable* const partitions_;
  ConfigChanged config_changed_ = [](const Topic&) {};

  // Held while a change is made, on disk too.
  absl::Mutex change_mu_;
  bool closed_ ABSL_GUARDED_BY(change_mu_) = false;
  ForgetOffsets forget_offsets_ ABSL_GUARDED_BY(change_mu_);
  // A partition that is made again must not find the recovery point of an old
  // one: what is missing below that would be taken for corruption.
  CheckpointState checkpoint_ ABSL_GUARDED_BY(change_mu_);
  bool leftovers_found_ ABSL_GUARDED_BY(change_mu_) = false;

  PendingDeletions pending_;
  StoredCatalog catalog_;  // changed with `change_mu_` held
};

}  // namespace varve

#endif  // VARVE_API_TOPICS_TOPIC_ADMINISTRATION_H_
