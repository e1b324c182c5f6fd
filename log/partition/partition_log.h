// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_PARTITION_LOG_H_
#define VARVE_LOG_PARTITION_PARTITION_LOG_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/compression/stored_compression.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/metadata/partition_stats.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/partition/append_callback.h"
#include "varve/log/partition/append_completion.h"
#include "varve/log/partition/append_event.h"
#include "varve/log/partition/append_result.h"
#include "varve/log/partition/append_trigger.h"
#include "varve/log/partition/partition_compaction.h"
#include "varve/log/partition/partition_log_listener.h"
#include "varve/log/partition/partition_log_options.h"
#include "varve/log/partition/partition_meters.h"
#include "varve/log/partition/partition_reader.h"
#include "varve/log/partition/partition_state.h"
#include "varve/log/partition/partition_stats_collection.h"
#include "varve/log/partition/partition_syncer.h"
#include "varve/log/partition/partition_writer.h"
#include "varve/log/partition/pending_appends.h"
#include "varve/log/partition/trimmed_segments.h"
#include "varve/log/partition/watermark_waiters.h"
#include "varve/log/partition/watermarks.h"
#include "varve/log/producer/producer_batch.h"
#include "varve/log/producer/producer_position.h"
#include "varve/log/producer/producer_states.h"
#include "varve/log/recovery/partition_recovery.h"
#include "varve/log/retention/retention_segments.h"
#include "varve/log/segment/open_segments.h"
#include "varve/log/segment/segment_list.h"
#include "varve/log/system/call_gate.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The durable, ordered record batches of one partition.
//
// It owns the partition's directory and segments. Views read from it pin the
// segments they show and may outlive it.
//
// Offsets: log start <= durable end <= visible end. Records below the visible
// end can be read; those below the durable end survive a power loss.
//
// Thread safety: thread-safe. One lock serializes appends. An append holds it
// for the copy of one batch, and at times for a roll or while it waits for disk
// blocks; a trim holds it while it removes leader epochs, and an open or a
// close of the writing end while it works on files. Reads take no lock that an
// append holds but the segment list's, to copy a pointer; a read that opens a
// segment may park partitions first, and wait for their syncs. Syncs have a
// lock of their own, so appends continue while the disk is busy. Lock order:
// the syncer's `turn`, `mu_`, the segment list's.
//
// The first sync that fails poisons the log: reads continue, but every append
// and sync returns that error until the partition is opened again. After a
// failed sync the page cache may differ from the disk. A sync that was not
// made, because descriptors, memory or disk ran out before it, poisons nothing:
// the next one covers its records, too.
class PartitionLog {
 public:
  using Options = PartitionLogOptions;

  PartitionLog(std::unique_ptr<Directory> directory, const Options& options,
               const RecoveredLog& recovered);
  ~PartitionLog();

  PartitionLog(const PartitionLog&) = delete;
  PartitionLog& operator=(const PartitionLog&) = delete;

  // Appends one record as a batch of its own.
  //
  // Errors: InvalidArgument when the record is larger than max.message.bytes or
  // segment.bytes, or its timestamp is out of range: nothing was appended.
  // NotFound when the topic was deleted, and for nothing else.
  // ResourceExhausted when the disk is full: nothing was appended, and a later
  // call may succeed. FailedPrecondition when the log is closed, or read-only
  // since its recovery, or when compression.type needs a codec that is not
  // among the options'. Unavailable when it is appended, but could not be
  // synced yet for want of room: a later sync makes it durable. Any other code:
  // a failed sync or write; the record may be visible, is not known to be
  // durable, and the log is poisoned. Or, when there was no active segment yet,
  // a file that could not be opened: nothing was appended, and the next append
  // tries again, unless it was a sync that failed.
  absl::StatusOr<AppendResult> Append(const Record& record,
                                      Durability durability);

  // Appends a batch whole: after any crash all of its records are there or
  // none. One that its producer has appended before is not appended again: the
  // result says where it is. Errors: those of appending a record;
  // InvalidArgument also for a header that CheckBatchHeader refuses, for a
  // marker that cannot be read, and for records that compression.type has
  // encoded again and that are damaged; those of a producer's batch
  // (log/producer/producer_refusal.h).
  absl::StatusOr<AppendResult> Append(const EncodedBatch& batch,
                                      Durability durability);

  // Appends as with kMemory, and has the listener call `callback` when the
  // append is durable or cannot become so; asks for a sync. When it fails, it
  // drops the callback. Partition::AppendAsync has the whole contract.
  //
  // Errors: those of `Append` but for Unavailable; ResourceExhausted also when
  // kPendingAppendsMax callbacks are outstanding: nothing was appended.
  absl::StatusOr<AppendResult> AppendAsync(const Record& record,
                                           AppendCallback callback);
  absl::StatusOr<AppendResult> AppendAsync(const EncodedBatch& batch,
                                           AppendCallback callback);

  // Reads batches from the one that holds `offset` on, in place; the records of
  // compressed ones are decompressed, unless the options say otherwise. Empty
  // at the end of the read's level: `WaitFor` waits for more.
  //
  // Errors: OutOfRange below the log start or past the visible end; the message
  // names the bounds. DataLoss when the record is damaged or missing: the
  // message says where, and what the next readable offset is, if known.
  // FailedPrecondition after `Close`. ResourceExhausted when a segment cannot
  // be opened for want of descriptors or address space.
  absl::StatusOr<RecordBatches> Read(int64_t offset,
                                     const ReadOptions& options);

  // The offset of the first record whose timestamp is `time` or later; the end
  // that a read of this level sees when every record is earlier. Records of
  // earlier time may follow: programs choose their timestamps.
  //
  // Errors: DataLoss when a segment is missing; FailedPrecondition after
  // `Close`; other file errors (log/system/errno_status.h).
  absl::StatusOr<int64_t> OffsetForTime(absl::Time time,
                                        ReadLevel level = ReadLevel::kDefault);

  // Blocks until a read of this level and isolation ends after `offset`.
  //
  // Errors: DeadlineExceeded; Cancelled when the log is closed meanwhile; the
  // poison, since nothing can be appended after it.
  absl::Status WaitFor(int64_t offset, absl::Time deadline,
                       ReadLevel level = ReadLevel::kDefault,
                       Isolation isolation = Isolation::kReadUncommitted);

  // An event that is signalled whenever the visible or the durable end moves,
  // and when the log is closed.
  //
  // Errors: ResourceExhausted; FailedPrecondition after `Close`.
  absl::StatusOr<std::shared_ptr<AppendEvent>> NewAppendEvent();

  // Whether a read of `offset`, of this level and isolation, returns something
  // else than "not yet". After `Arm`, what it does not see fires the trigger,
  // once, and nothing else does.
  bool HasNews(int64_t offset, ReadLevel level, Isolation isolation) const {
    return offset < readable_end(level, isolation) || offset > visible_end() ||
           state_.has_ended();
  }
  void Arm(const std::shared_ptr<AppendTrigger>& trigger, int64_t offset);
  void Disarm(AppendTrigger& trigger);

  // Makes everything appended so far durable.
  //
  // Errors: FailedPrecondition after `Close`; ResourceExhausted, and it can be
  // called again; the poison.
  absl::Status Sync();

  // Makes `offset` the log start: records before it cannot be read any more,
  // and segments wholly before it are deleted at once; views that pin them stay
  // valid. When the log already starts there or later, only that start is made
  // durable, and deletions that failed are tried again.
  //
  // Durable on return: the start. Records before it are synced first if
  // they were not.
  //
  // Errors: OutOfRange past the visible end; FailedPrecondition when closed;
  // those of `Sync`, after which the log starts where it did; file errors of
  // the checkpoint and the deletion, after which it starts at `offset`.
  absl::Status TrimBefore(int64_t offset);

  // The two halves of `TrimBefore`, for callers that trim many partitions and
  // write the checkpoint once between: moves the log start, and deletes the
  // files that the checkpoint on disk no longer needs, and after them their
  // epochs. What another trim has added meanwhile is kept for its own call.
  // Precondition of the second: a checkpoint with the log start
  // `durable_start`, or a later one, is durable.
  absl::Status MoveLogStart(int64_t offset);
  absl::Status DeleteTrimmed(int64_t durable_start);

  // Begins a new segment, unless the active one is empty. Errors: of `Append`.
  absl::Status Roll();

  // Changes the config of the live log. Limits of time, sync, timestamps and
  // batch size hold from the next append on, and so does a segment.bytes that
  // is lower; one that is higher, and limits of indexes, from the next segment
  // on.
  //
  // Precondition: `config.Validate()` is OK.
  // Errors: NotFound (the topic was deleted); FailedPrecondition after `Close`.
  absl::Status SetConfig(const LogConfig& config);

  // Populates the active segment ahead of the appends, and makes the next one
  // ready, as far as both are due; for the store's prepare duty, one thread at
  // a time. At most `budget` bytes are populated, or 32 KiB if that is more,
  // and 1 MiB of the next segment. A failure is not reported, as the appends
  // meet its cause; but a failed sync poisons the log.
  void PrepareAhead(int64_t budget);
  // Whether that is due; resets itself.
  bool TakePreparationWanted() {
    return preparation_wanted_.exchange(false, std::memory_order_acq_rel);
  }
  int64_t populated_ahead() const {
    return populated_ahead_.load(std::memory_order_relaxed);
  }

  // Closes the descriptors and mappings of a log that is not in use, except its
  // views'; the next append or read opens what it needs again. Syncs records
  // that are not durable, and trims the files to their exact length.
  //
  // Errors: ResourceExhausted, and it can be tried again; the poison; when the
  // log has ended, FailedPrecondition or NotFound.
  absl::Status Park();

  // Segments below the log start whose files are still there.
  int64_t trimmed_count() const { return trimmed_.count(); }
  // Whether retention has to be applied before its time, by the retention pass.
  void SetRetentionWanted() {
    retention_wanted_.store(true, std::memory_order_release);
  }
  bool TakeRetentionWanted() {
    return retention_wanted_.exchange(false, std::memory_order_acq_rel);
  }

  // Whether `Park` would give anything back.
  bool holds_segments() const;
  // Whether the log was appended to or read since the last call.
  bool TakeUsed() { return used_.exchange(false, std::memory_order_relaxed); }

  const std::string& path() const { return directory_->path(); }

  int64_t log_start() const { return ends_.log_start(); }
  int64_t durable_end() const { return ends_.durable(); }
  int64_t visible_end() const { return ends_.visible(); }
  int64_t segment_count() const { return segments_.count(); }
  // Sizes and times of the segments.
  RetentionSegments& retention_segments() { return retention_segments_; }
  int64_t readable_end(ReadLevel level, Isolation isolation =
                                            Isolation::kReadUncommitted) const {
    return ends_.readable(level, isolation);
  }
  LogConfig config() const {
    absl::MutexLock lock(&mu_);
    return config_;
  }
  PartitionMeters& meters() const { return *meters_; }
  const Environment& environment() const { return environment_; }

  // Its statistics now. Reads its directory, and the first and the last batch.
  //
  // Errors: FailedPrecondition after `Close`; file errors.
  absl::StatusOr<PartitionStats> Stats();

  // The leader epoch of the record at `offset`; nothing where there is none.
  std::optional<int32_t> EpochAt(int64_t offset) const;

  // Where the records of `epoch` end: LeaderEpochs::EndOffset.
  std::optional<int64_t> EpochEndOffset(int32_t epoch) const;

  absl::StatusOr<std::optional<ProducerPosition>> FindProducer(
      int64_t producer_id) const;
  void ExpireProducers(const ProducerStates::Expiration& expiration);

  // When `Sync` should be called next, for kInterval appends, AppendAsync and
  // sealed segments; InfiniteFuture when nothing is to be done.
  absl::Time SyncDue() { return syncer_.Due(); }

  // What the store's checkpoint should say of this log.
  PartitionCheckpoint checkpoint() const {
    return {.log_start = log_start(),
            .recovery_point = durable_end(),
            .first_dirty = compaction_.first_dirty()};
  }

  PartitionCompaction& compaction() { return compaction_; }

  // Refuses further calls, fails waiters, waits for calls and syncs under way,
  // trims the files to their exact length and syncs them. What AppendAsync has
  // appended is completed when it returns. Idempotent. Only a `Read` may
  // continue after it: it changes nothing.
  //
  // Errors: the poison, or why the log did not close cleanly: it has to be
  // recovered at the next open then.
  absl::Status Close();

  // Ends the log of a partition that was deleted: calls fail with NotFound from
  // now on, as do appends of AppendAsync that are not durable, and waiters with
  // Cancelled. The files are closed as they are; views keep their mappings.
  void Abandon();

 private:
  // `pending`: the completion of an AppendAsync, which is a kSynced append that
  // does not wait for its sync; null for any other.
  struct Appending {
    Durability durability;
    AppendCompletions* pending = nullptr;
  };
  absl::StatusOr<AppendResult> AppendBatch(const IncomingBatch& batch,
                                           const ProducerBatch& producer,
                                           const Appending& how);
  absl::StatusOr<AppendResult> AppendReencoded(const IncomingBatch& batch,
                                               const ProducerBatch& producer,
                                               const Appending& how);
  absl::StatusOr<AppendResult> AppendAsIs(const IncomingBatch& batch,
                                          const ProducerBatch& producer,
                                          const Appending& how);
  void AfterAsyncAppend(bool rolled, bool needs_sync);
  absl::Status Await(int64_t offset, absl::Time deadline, ReadLevel level,
                     Isolation isolation) ABSL_LOCKS_EXCLUDED(mu_);
  // May release the lock, and take it again, before the first append.
  absl::Status PrepareAppend() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status OpenWriterUnlocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status OpenWriter() ABSL_LOCKS_EXCLUDED(syncer_.turn(), mu_);
  // Poisons the log unless the failure has changed nothing; returns the error
  // for the caller.
  absl::Status NoteFailure(const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Returns whether a new segment has begun.
  bool PublishEnd(const ProducerBatch& producer)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // A read that fails because the log has ended returns that error instead.
  template <typename T>
  absl::StatusOr<T> UnlessEnded(absl::StatusOr<T> result) const {
    if (!result.ok() && state_.has_ended()) return state_.EndedError();
    return result;
  }
  // A missing file is DataLoss, unless it was deleted with its topic.
  absl::Status MissingAsLoss(const absl::Status& status) const;
  void SetActive(bool active);
  // Stores only if the flag is not set yet: all threads share its cache line.
  void NoteUse() {
    if (!used_.load(std::memory_order_relaxed)) {
      used_.store(true, std::memory_order_relaxed);
    }
  }
  absl::Status DeleteTrimmedFiles(int64_t durable_start);
  absl::Status CloseWriter() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void EndClose(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Constant after construction.
  const Environment environment_;
  const std::shared_ptr<PartitionLogListener> listener_;
  const std::shared_ptr<OpenSegments> open_segments_;
  const std::unique_ptr<Directory> directory_;
  const std::shared_ptr<PartitionMeters> meters_;

  SegmentList segments_;
  TrimmedSegments trimmed_;
  RetentionSegments retention_segments_;

  Watermarks ends_;
  PartitionReader reader_;
  StoredCompression stored_compression_;  // changed with `mu_` held

  PartitionState state_;    // changed with `mu_` held
  PendingAppends pending_;  // likewise
  CallGate calls_;          // those that take more than one step
  // Whether there is an active segment. Memory ordering: relaxed; only a hint.
  std::atomic<bool> is_active_ = false;
  // Memory ordering: released before the duty is woken, acquired by the duty.
  std::atomic<bool> preparation_wanted_ = false;
  std::atomic<bool> retention_wanted_ = false;
  // Memory ordering: relaxed; as of the last preparation.
  std::atomic<int64_t> populated_ahead_ = 0;
  // Memory ordering: relaxed; a hint for the code that parks logs.
  std::atomic<bool> used_ = false;

  // The writer lock.
  mutable absl::Mutex mu_ ABSL_ACQUIRED_AFTER(syncer_.turn());
  LogConfig config_ ABSL_GUARDED_BY(mu_);
  PartitionWriter writer_ ABSL_GUARDED_BY(mu_);  // borrows `config_`
  WatermarkWaiters waiters_ ABSL_GUARDED_BY(mu_);

  PartitionSyncer syncer_;          // borrows the writer, and the parts above
  PartitionCompaction compaction_;  // likewise
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_PARTITION_LOG_H_
