// SPDX-License-Identifier: Apache-2.0

// varve's public interface: a store of topics, each an ordered, durable,
// replayable log in partitions, in a directory of Kafka's files.
//
//   auto store = varve::LogStore::Open("/var/lib/app/log");
//   absl::Status made = (*store)->CreateTopic("orders", {.partitions = 4});
//   auto orders = (*store)->partition("orders", 0);
//   auto where = orders->Append({.key = "42", .value = "paid"});
//   auto view = orders->Read(where->offset);
//
// A function that can fail returns an absl::Status or a StatusOr, which must be
// checked (the examples in these headers leave some of that out); no exception
// crosses this interface but std::bad_alloc. Paths, positions and reasons are
// in the message.
//
// Caveats, which no code can take away:
// - Reads look at mapped files. When the disk fails to deliver a page, or
//   another program cuts a file short, the kernel says so with SIGBUS.
// - A view pins its segment: its disk space is not freed while the view lives.
// - One process writes a store at a time; others read it by OpenReadOnly. Keep
//   it off network file systems.
// - A fork'ed child cannot use the store of its parent: calls fail there with
//   FailedPrecondition, lists and reports are empty, destructors do nothing,
//   and the parent's lock stays the parent's. Views can be read.

#ifndef VARVE_API_LOG_STORE_H_
#define VARVE_API_LOG_STORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "varve/api/committed_offset.h"
#include "varve/api/compaction/topic_compaction.h"
#include "varve/api/duty/maintenance_pause.h"
#include "varve/api/partition.h"
#include "varve/api/partition_failure.h"
#include "varve/api/read_only_store.h"
#include "varve/api/recovery_report.h"
#include "varve/api/store_metrics.h"
#include "varve/api/store_options.h"
#include "varve/api/topic_changes.h"
#include "varve/api/topic_config.h"
#include "varve/api/topic_description.h"
#include "varve/api/unfinished_deletion.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/system/file_system_type.h"

namespace varve {

class CommittedOffsets;
class ForkMark;
class StoreState;

// An open store. It is the only writer of its directory, which it keeps locked
// with Kafka's own lock file.
//
// Thread safety: thread-safe, but for the destructor: no other call on this
// object may run meanwhile. Calls on its Partitions may.
//
// Durable: topics when CreateTopic returns; records as `Durability` says.
class LogStore {
 public:
  // Opens the store in directory `path`. After a clean Close this looks at the
  // store's own files only, if they are sound. After anything else it recovers
  // every partition first, one after another: it reads the segment that holds
  // the partition's recovery point from its beginning, and those after it,
  // which is segment.bytes for each partition at most, and what was not synced.
  // With many partitions, or in a program that must start fast, choose a
  // smaller segment.bytes. `Open` blocks for that long; `recovery_report` says
  // what it found. A damaged partition does not keep a store from opening.
  //
  // Errors:
  //   NotFound            There is no store, and MissingStore::kFail was asked.
  //   InvalidArgument     An option is out of range.
  //   FailedPrecondition  Another writer has it open, which IsLockConflict
  //                       (log/metadata/lock_conflict.h) tells from the rest;
  //                       the directory is another program's, a backup
  //                       (api/store_backup.h), or one that was not finished;
  //                       the store is of a newer version; or the file system
  //                       is not one to rely on.
  //   PermissionDenied    The directory cannot be written.
  //   DataLoss            varve.topics, without which the topics are not known,
  //                       is damaged. Nothing was changed: restore that file.
  //   ResourceExhausted   The disk is full or a limit of the process reached.
  static absl::StatusOr<std::unique_ptr<LogStore>> Open(
      const std::string& path, const StoreOptions& options = {});

  // Opens a store to read only, whether or not another process is writing it:
  // api/read_only_store.h says what that sees. Takes no lock, changes nothing.
  //
  // Errors: those of ReadOnlyStore::Open.
  static absl::StatusOr<std::unique_ptr<ReadOnlyStore>> OpenReadOnly(
      const std::string& path, const ReadOnlyOptions& options = {});

  // Closes the store if `Close` was not called, and logs what `Close` would
  // have returned.
  ~LogStore();

  LogStore(const LogStore&) = delete;
  LogStore& operator=(const LogStore&) = delete;

  // Creates a topic with empty partitions. Atomic: after a crash it is there
  // with all of them, or not at all.
  //
  // Errors: InvalidArgument for a name or config that Kafka would refuse, an
  // internal topic's name (log/metadata/topic_name.h), or one that differs from
  // another topic's only in '.' and '_'; AlreadyExists; ResourceExhausted, and
  // the topic is not there; FailedPrecondition when closed.
  absl::Status CreateTopic(std::string_view name,
                           const TopicConfig& config = {});

  // Changes configs of a topic, and adds partitions, all of `changes` or none.
  // Its partitions that are open take configs at once, or from their next
  // segment on: log/metadata/log_config.h says which. Durable on return.
  // Records beyond a lowered limit of retention are deleted before it returns,
  // also in partitions that are not open; a failure of that is logged, and the
  // next check tries again.
  //
  // Errors: NotFound; InvalidArgument for a config that CreateTopic would
  // refuse, fewer partitions than there are, or an internal topic; file errors
  // (log/system/errno_status.h), and nothing has changed, unless the message
  // says that this is not known; FailedPrecondition when closed.
  absl::Status AlterTopic(std::string_view name, const TopicChanges& changes);

  // Gives a topic empty partitions after those it has, up to `new_total`.
  // Atomic, as CreateTopic is. A partitioner that depends on the number of
  // partitions may place a key's records in another one from now on.
  //
  // Errors: NotFound; InvalidArgument for fewer than it has, too many, or an
  // internal topic; file errors, as of AlterTopic; FailedPrecondition when
  // closed.
  absl::Status AddPartitions(std::string_view name, int32_t new_total);

  // Compacts the topic's partitions by key, one after another, on this thread:
  // of the records of a key the last one stays (cleanup.policy "compact",
  // log/metadata/log_config.h). Offsets never change, and the active segment
  // stays as it is. Appends and reads go on meanwhile; views stay valid. The
  // background does it by itself when it is due. Durable on return.
  //
  // Errors: NotFound; FailedPrecondition for a topic that is not compacted, and
  // when closed; Cancelled when the store is closed meanwhile, or the partition
  // trimmed: what is done is done, and another call goes on; DataLoss for a
  // segment that is damaged: it and those after it stay as they are;
  // Unimplemented when a codec is missing; ResourceExhausted; file errors. The
  // partitions before the one that fails are compacted.
  absl::StatusOr<std::vector<PartitionCompacted>> CompactTopic(
      std::string_view name, const CompactOptions& options = {});

  // Deletes a topic with all its records, durably: after a crash it is there
  // as a whole, or not at all. A topic of that name may be created at once, and
  // is another one. Handles on its partitions fail from now on with NotFound,
  // as do their AppendAsync that are not durable, and waiters with Cancelled;
  // views stay valid.
  //
  // The offsets that groups have committed for it are deleted with it, and
  // never count for another topic. The files are removed when the topic's
  // file.delete.delay.ms have passed, by the background or RunMaintenance, or
  // when the store is closed. If either cannot be removed, on a full disk for
  // example, that is tried again every minute, by Close, and after the next
  // open: `UnfinishedDeletions` lists it. Leftovers of a crash are removed soon
  // after the next open.
  //
  // Errors: NotFound; InvalidArgument for an internal topic; file errors
  // (log/system/errno_status.h), and nothing has changed, unless the message
  // says that this is not known: then the topic takes no calls any more;
  // FailedPrecondition when closed.
  absl::Status DeleteTopic(std::string_view name);

  // Deleted topics of which directories or offsets could not be removed yet.
  // Files that wait for their time are not among them.
  std::vector<UnfinishedDeletion> UnfinishedDeletions() const;

  // All topics, by name.
  std::vector<TopicDescription> ListTopics() const;

  // Errors: NotFound; the message names the topics there are.
  absl::StatusOr<TopicDescription> DescribeTopic(std::string_view name) const;

  // A handle on a partition, opened if it was not yet.
  //
  // Errors: NotFound for an unknown topic; OutOfRange for a partition the topic
  // does not have; DataLoss when the partition's directory is missing;
  // FailedPrecondition when closed; ResourceExhausted.
  absl::StatusOr<Partition> partition(std::string_view topic,
                                      int32_t partition);

  // Makes durable all that was appended so far to these partitions, whatever it
  // was appended with. Their syncs run side by side, on this thread and on up
  // to seven more that end before it returns; with Background::kNone on this
  // thread, one after the other: a program with threads of its own then calls
  // it from several, each with a part. A partition that fails keeps no other
  // from being synced.
  //
  // Errors: the first of the failures, in the order of `partitions`, each of
  // which is that of Partition::Sync. All of them are put into `failures`, in
  // that order, unless it is null; what was in it is removed.
  // FailedPrecondition when closed: nothing was synced, and it stays empty.
  absl::Status Sync(absl::Span<const Partition> partitions,
                    std::vector<PartitionFailure>* failures = nullptr);

  // The same for every partition of the store, committed offsets included, by
  // topic and number. Those that were not opened since the store was have
  // nothing to sync. Errors: those of `Sync`.
  absl::Status SyncAll(std::vector<PartitionFailure>* failures = nullptr);

  // Consumer groups. A group is a name under which a program keeps how far it
  // has come in each partition, so that it continues there after a restart:
  //
  //   auto at = store->CommittedOffset("billing", "orders", 0);
  //   if (!at.ok() && !absl::IsNotFound(at.status())) return at.status();
  //   // Below the log start: records that it had not read were deleted.
  //   int64_t next = std::max(at.ok() ? at->offset : 0, orders.log_start());
  //   auto view = orders.Read(next);
  //   if (!view.ok()) return view.status();
  //   ... process view->records(), and look at their status() ...
  //   return store->CommitOffset("billing", "orders", 0, view->next_offset());
  //
  // It is a name, not a membership: two threads that read the same partition
  // both get every record. To free what all groups have read, call TrimBefore
  // with the smallest of their offsets.
  //
  // Offsets are kept in Kafka's way, as records of the topic
  // __consumer_offsets, which is made at the first commit, with
  // StoreOptions::offsets_topic_num_partitions. They do not expire. A
  // ReadOnlyStore of another process reads them too.
  // A group's id is any UTF-8 of 1 to 32767 bytes.

  // Commits `offset`: the next record that the group has to read. Committing
  // any other offset, even an earlier one, resets the group. Only kSynced
  // survives a power loss: it first syncs the records before `offset` that are
  // not durable yet, and then the commit.
  //
  // It is committed for the topic that has the name now, and counts for no
  // later one. Where topics are deleted and made again while they are read, say
  // which one was read: OffsetCommit::topic_id of CommitOffsets.
  //
  // Errors: OutOfRange when the offset is not between the partition's log start
  // and visible end: when records were deleted while they were processed,
  // commit the log start; InvalidArgument for the group's id; NotFound for the
  // topic, also when it is deleted meanwhile; and those of Partition::Append.
  absl::Status CommitOffset(std::string_view group, std::string_view topic,
                            int32_t partition, int64_t offset,
                            Durability durability = Durability::kSynced);

  // Commits several offsets, with metadata, as one: after a crash all of them
  // are committed or none. Of two for the same partition the last counts.
  //
  // Errors: those of CommitOffset, and nothing is committed then;
  // InvalidArgument also for metadata above kOffsetMetadataSizeMax, and for
  // more than one batch holds.
  absl::Status CommitOffsets(std::string_view group,
                             absl::Span<const OffsetCommit> commits,
                             Durability durability = Durability::kSynced);

  // Commits several offsets, as CommitOffsets does, and says which of them were
  // refused, and why: after records were trimmed away, or a topic was deleted,
  // one partition's offset can be wrong while the others are right. `options`
  // says whether those are committed then, as one. Without a refusal in the
  // report all are committed.
  //
  //   auto report = store->TryCommitOffsets("billing", commits,
  //       {.on_refused = varve::OnRefusedOffset::kCommitOthers});
  //   if (!report.ok()) return report.status();
  //   for (const varve::RefusedOffset& one : report->refused) …
  //
  // Errors: InvalidArgument for the group's id, and for more than one batch
  // holds; FailedPrecondition when closed; those of opening a partition and of
  // Partition::Append, for the commit itself and for the records before an
  // offset, which kSynced syncs: a disk that fails refuses no offset. As with
  // CommitOffsets nothing is committed then, unless Partition::Append says
  // otherwise of that error.
  absl::StatusOr<OffsetCommitReport> TryCommitOffsets(
      std::string_view group, absl::Span<const OffsetCommit> commits,
      const OffsetCommitOptions& options = {});

  // The offset that the group committed last. It may lie below the log start,
  // when records were deleted meanwhile: whether to continue at the earliest or
  // the latest one then is the caller's choice. It never lies past the visible
  // end: when a power loss has cut the log, the offset is set back, by its
  // leader epoch, before it is first seen, and `recovery_report` says so. That
  // is written to disk, so the first call after a crash may write and sync.
  //
  // Errors: NotFound when the group has committed none for the partition, and
  // for an unknown topic; OutOfRange for a partition the topic does not have;
  // InvalidArgument for the group's id; Unimplemented when a later Kafka wrote
  // it in a form that varve does not read; DataLoss when a partition's
  // directory is missing; file errors (log/system/errno_status.h);
  // those of Partition::Append when it is set back.
  absl::StatusOr<OffsetAndMetadata> CommittedOffset(std::string_view group,
                                                    std::string_view topic,
                                                    int32_t partition);

  // All groups that have committed an offset, by name.
  absl::StatusOr<std::vector<std::string>> ListGroups();

  // The group's offsets, by topic and partition, and their lag. It may write,
  // as CommittedOffset may.
  // Errors: NotFound when it has none; those of CommittedOffset.
  absl::StatusOr<std::vector<GroupOffset>> DescribeGroup(
      std::string_view group);

  // Deletes the group's offsets for these partitions, whose topics may be
  // deleted already. They are deleted in batches of hundreds, each of which a
  // crash, or an error of Partition::Append, leaves whole or undone.
  // Errors: NotFound when there is none for one of them, and nothing is deleted
  // then; those of Partition::Append.
  absl::Status DeleteOffsets(std::string_view group,
                             absl::Span<const TopicPartition> partitions,
                             Durability durability = Durability::kSynced);

  // Deletes all offsets of the group. Errors: NotFound when it has none; those
  // of Partition::Append.
  absl::Status DeleteGroup(std::string_view group,
                           Durability durability = Durability::kSynced);

  // A new producer id. A program that may send a batch twice, after a timeout
  // for example, gives itself an id, an epoch and a sequence for each record,
  // and sets them with RecordBatchBuilder: then the batches of one producer can
  // be told from those of another, and the second copy from the first.
  //
  // A store issues no id twice: not after a restart, kill -9 or power loss. Nor
  // does a store that is restored from a backup issue one that is in its logs;
  // it begins at a place of its own, by chance, as one does that has lost its
  // varve.producers (docs/operating.md). Ids are from 2^62 up, where no Kafka
  // cluster issues any, and need not be consecutive: after each open some are
  // skipped. Does no I/O, but for every 1,000th call and the first, which write
  // and sync a small file before they return.
  //
  // Errors: ResourceExhausted when the disk is full, and when all ids are used
  // up; FailedPrecondition when closed or forked, and when a newer version of
  // varve wrote varve.producers; file errors (log/system/errno_status.h).
  // Nothing was issued, and a later call may succeed.
  absl::StatusOr<int64_t> NewProducerId();

  // What opening the store, and partitions since, has found and done.
  RecoveryReport recovery_report() const;

  // What the store has done since it was opened, and holds now. Cheap enough
  // for every second: it looks at each open partition, and stops no other call.
  StoreMetrics Metrics() const;

  // The directory, as it was given.
  const std::string& path() const;

  // The type of the file system that the directory is on. On kTmpfs everything
  // is kept in memory: no level of durability survives a power loss there.
  FileSystemType file_system() const;

  // Does everything that is due in the background, once, on the calling thread,
  // and returns the time until something will be due next: call it again after
  // that time. For programs with a scheduler of their own, with
  // Background::kNone; several threads may call it at once, and share the work:
  // a thread does not wait for work that another one is doing. It may sync, so
  // it blocks for the disk, and it calls the callbacks of AppendAsync. The time
  // returned is half the shortest window at most, and zero after callbacks,
  // which may have made more to do. Failures are reported to the log sink, and
  // to the appends they concern.
  //
  // Errors: FailedPrecondition when closed.
  absl::StatusOr<absl::Duration> RunMaintenance();

  // Keeps the background from deleting and compacting as long as the result
  // lives. It waits for what is under way: do not call it in a callback.
  MaintenancePause PauseMaintenance();

  // Refuses further calls, fails waiters with Cancelled, waits for calls under
  // way, TrimBefore and RunMaintenance included, deletes by retention if a
  // check is due, compacts what is due and small, removes the files of deleted
  // topics, syncs everything, trims the files, calls the callbacks of
  // AppendAsync that are left, and marks the shutdown as clean. Only a
  // Partition::Read may continue after it: it changes nothing. Do not call it
  // from within another call, as from a log sink or a callback: it would wait
  // for itself. Idempotent: later calls return what the first did. Blocks for a
  // sync of every partition with unsynced appends. Functions that return no
  // Status still answer afterwards.
  //
  // Errors: the first one met. The rest is closed all the same, and the next
  // open recovers; the close is not tried again.
  absl::Status Close();

 private:
  explicit LogStore(std::unique_ptr<StoreState> state);

  std::unique_ptr<StoreState> state_;
  std::unique_ptr<CommittedOffsets> offsets_;  // on `state_`
  const std::unique_ptr<const ForkMark> opened_in_;
};

}  // namespace varve

#endif  // VARVE_API_LOG_STORE_H_
