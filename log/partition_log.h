// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_LOG_H_
#define VARVE_LOG_PARTITION_LOG_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "log/append_event.h"
#include "log/append_result.h"
#include "log/batch_scanner.h"
#include "log/call_gate.h"
#include "log/durability.h"
#include "log/encoded_batch.h"
#include "log/end_waiters.h"
#include "log/environment.h"
#include "log/file_system.h"
#include "log/log_config.h"
#include "log/log_ends.h"
#include "log/log_reader.h"
#include "log/open_segments.h"
#include "log/partition_ending.h"
#include "log/partition_log_listener.h"
#include "log/partition_meters.h"
#include "log/partition_recovery.h"
#include "log/partition_stats.h"
#include "log/partition_stats_collection.h"
#include "log/partition_writer.h"
#include "log/read_options.h"
#include "log/record.h"
#include "log/record_batches.h"
#include "log/segment_facts.h"
#include "log/segment_list.h"
#include "log/sync_schedule.h"
#include "log/trimmed_segments.h"
#include "log/unsynced_files.h"

namespace varve {

// The durable, ordered record batches of one partition.
//
// It owns the partition's directory and segments. Views read from it pin what
// they show and may outlive it.
//
// Offsets: log start <= durable end <= visible end. Records below the visible
// end can be read; those below the durable end survive a power loss.
//
// Thread safety: thread-safe. One lock serializes appends; it is held for the
// copy of one batch, and for a roll. Reads take no lock that an append holds
// but the segment list's, to copy a pointer. Syncs have a lock of their own,
// so appends go on while the disk is busy. Lock order: `sync_mu_`, `mu_`, the
// segment list's.
//
// The first sync that fails poisons the log: reads go on, every append and
// sync returns that error until the partition is opened anew. What a failed
// sync left in the page cache is not what the disk holds. A sync that did not
// come about, because descriptors, memory or disk ran out before it, poisons
// nothing: the next one covers what it was to cover.
class PartitionLog {
 public:
  struct Options {
    LogConfig config;
    // What is in the log already may have gaps whatever the config is now.
    Continuity continuity = Continuity::kExact;
    Environment environment;
    // A kInterval append is synced before it is older than this.
    absl::Duration sync_interval = absl::Seconds(1);
    std::shared_ptr<PartitionLogListener> listener;
    // Where what the log holds open is counted.
    std::shared_ptr<OpenSegments> open_segments =
        std::make_shared<OpenSegments>();
    // Counts what happens.
    std::shared_ptr<PartitionMeters> meters = PartitionMeters::OfNoStore();
  };

  PartitionLog(std::unique_ptr<Directory> directory, const Options& options,
               const RecoveredLog& recovered);
  ~PartitionLog();

  PartitionLog(const PartitionLog&) = delete;
  PartitionLog& operator=(const PartitionLog&) = delete;

  // Appends one record as a batch of its own.
  //
  // Errors: InvalidArgument when the record is larger than max.message.bytes
  // or segment.bytes, or its timestamp is out of range: nothing was appended.
  // NotFound when the topic was deleted, and for nothing else.
  // ResourceExhausted when the disk is full: nothing was appended, and a later
  // call may succeed. FailedPrecondition when the log is closed, or read-only
  // since its recovery. Unavailable when it is appended, and for want of room
  // could not be synced yet: a later sync makes it durable. Any other code: a
  // failed sync or write; the record may be visible, is not known to be
  // durable, and the log is poisoned.
  absl::StatusOr<AppendResult> Append(const Record& record,
                                      Durability durability);

  // Appends a batch whole: after any crash all of its records are there or
  // none. Errors: as above; InvalidArgument also for a header that
  // CheckBatchHeader refuses.
  absl::StatusOr<AppendResult> Append(const EncodedBatch& batch,
                                      Durability durability);

  // Reads batches from the one that holds `offset` on, in place. Empty at the
  // visible end: `WaitFor` waits for more.
  //
  // Errors: OutOfRange below the log start or behind the visible end; the
  // message names the bounds. DataLoss when the record is damaged or missing:
  // the message says where, and what the next readable offset is, if known.
  // FailedPrecondition after `Close`. ResourceExhausted when a segment cannot
  // be opened for want of descriptors or address space.
  absl::StatusOr<RecordBatches> Read(int64_t offset,
                                     const ReadOptions& options);

  // The offset of the first record whose timestamp is `time` or later; the end
  // that a read of this level sees when every record is earlier. Records of
  // earlier time may follow: programs choose their timestamps.
  //
  // Errors: DataLoss when a segment is missing; FailedPrecondition after
  // `Close`; those of opening segments.
  absl::StatusOr<int64_t> OffsetForTime(absl::Time time,
                                        ReadLevel level = ReadLevel::kDefault);

  // Blocks until a read of this level sees a record at `offset`.
  //
  // Errors: DeadlineExceeded; Cancelled when the log is closed meanwhile.
  absl::Status WaitFor(int64_t offset, absl::Time deadline,
                       ReadLevel level = ReadLevel::kDefault);

  // An event that is signalled whenever the visible or the durable end moves,
  // and when the log is closed.
  //
  // Errors: ResourceExhausted; FailedPrecondition after `Close`.
  absl::StatusOr<std::shared_ptr<AppendEvent>> NewAppendEvent();

  // Makes everything appended so far durable.
  //
  // Errors: FailedPrecondition after `Close`; ResourceExhausted, and it can be
  // called again; the poison, see above.
  absl::Status Sync();

  // Makes `offset` the log start: records before it cannot be read any more,
  // and segments wholly before it are deleted, at once but for the views that
  // pin them. Nothing happens when the log starts there or later already.
  //
  // Durable on return: the new start, and what is left, which is synced if it
  // was not.
  //
  // Errors: OutOfRange past the visible end; FailedPrecondition when closed;
  // those of the sync, and the log starts where it did; those of the checkpoint
  // and the deletion, and it starts at `offset`.
  absl::Status TrimBefore(int64_t offset);

  // The two halves of `TrimBefore`, for callers that trim many partitions and
  // write the checkpoint once between: moves the log start, and deletes the
  // files that the checkpoint on disk no longer needs.
  // What another trim has added meanwhile stays. Epochs without a record go
  // after their files, so that every batch that is there has its epoch.
  // Precondition of the second: a checkpoint with the log start
  // `durable_start`, or a later one, is durable.
  absl::Status MoveLogStart(int64_t offset);
  absl::Status DeleteTrimmed(int64_t durable_start);

  // Begins a new segment, unless the active one is empty.
  //
  // Errors: as of `Append`.
  absl::Status Roll();

  // Changes the config of the live log. Limits of size, time, sync and
  // timestamps hold from the next append on, those of indexes from the next
  // segment on.
  //
  // Precondition: `config.Validate()` is OK.
  absl::Status SetConfig(const LogConfig& config);

  // Populates the active segment ahead of the appends, and makes the next one
  // ready, as far as both are due; for the store's prepare duty, one thread at
  // a time. At most `budget` bytes are populated. A failure is not reported:
  // the appends meet its cause themselves, and lose nothing. Only that of a
  // sync poisons the log: the next sync would not meet it.
  void PrepareAhead(int64_t budget);
  // Whether it is due.
  bool TakePreparationWanted() {
    return preparation_wanted_.exchange(false, std::memory_order_acq_rel);
  }
  // Bytes that are populated and not yet written to.
  int64_t populated_ahead() const {
    return populated_ahead_.load(std::memory_order_relaxed);
  }

  // Gives back the descriptors and mappings of a log that is not in use, all
  // but its views'; the next append or read opens what it needs again. Syncs
  // what was not, and trims the files to their exact length.
  //
  // Errors: ResourceExhausted, and it can be tried again; the poison.
  absl::Status Park();

  // Segments below the log start whose files are still there.
  int64_t trimmed_count() const { return trimmed_.count(); }
  // Whether somebody has found that retention has to look at the log, before
  // its time; taken by who does.
  void SetRetentionWanted() {
    retention_wanted_.store(true, std::memory_order_release);
  }
  bool TakeRetentionWanted() {
    return retention_wanted_.exchange(false, std::memory_order_acq_rel);
  }

  // Whether `Park` would give anything back.
  bool holds_segments() const {
    return is_active_.load(std::memory_order_relaxed) ||
           segments_.open_count() > 0;
  }
  // Whether the log was appended to or read since the last call.
  bool TakeUsed() { return used_.exchange(false, std::memory_order_relaxed); }

  // Of its directory.
  const std::string& path() const { return directory_->path(); }

  int64_t log_start() const { return ends_.log_start(); }
  int64_t durable_end() const { return ends_.durable(); }
  int64_t visible_end() const { return ends_.visible(); }
  int64_t segment_count() const { return segments_.count(); }
  // Sizes and times of the segments.
  SegmentFacts& segment_facts() { return segment_facts_; }
  // Where a read of this level ends.
  int64_t readable_end(ReadLevel level) const { return ends_.readable(level); }
  LogConfig config() const {
    absl::MutexLock lock(&mu_);
    return config_;
  }
  PartitionMeters& meters() const { return *meters_; }
  const Environment& environment() const { return environment_; }

  // The partition as it is now. Looks at its directory, and at the first and
  // the last batch.
  //
  // Errors: FailedPrecondition after `Close`; those of the files.
  absl::StatusOr<PartitionStats> Stats() {
    const CallGate::Call call = calls_.Enter();
    if (!call.entered()) return ClosedError();
    PartitionStats stats;
    {
      absl::MutexLock lock(&mu_);
      if (closed_) return ClosedError();
      stats = StatsInMemory(ends_, writer_.epochs(), *meters_, failure_);
    }
    return UnlessEnded(
        AddFileStats(*directory_, segments_, segment_facts_, reader_, stats));
  }

  // The leader epoch that the record at `offset` was written in; nothing for a
  // record that is not in the log.
  std::optional<int32_t> EpochAt(int64_t offset) const {
    absl::MutexLock lock(&mu_);
    if (offset < log_start() || offset >= visible_end()) return std::nullopt;
    return writer_.epochs().EpochAt(offset);
  }

  // Where the records of `epoch` end, exclusive; nothing for an epoch that the
  // log has not come to (yet). LeaderEpochs::EndOffset has the rule.
  std::optional<int64_t> EpochEndOffset(int32_t epoch) const {
    absl::MutexLock lock(&mu_);
    return writer_.epochs().EndOffset(epoch, visible_end());
  }

  // When `Sync` should be called next for the sake of kInterval appends and
  // sealed segments; InfiniteFuture when there is nothing to do.
  absl::Time SyncDue();

  // What the store's checkpoint should say of this log.
  PartitionCheckpoint checkpoint() const {
    return {.log_start = log_start(), .recovery_point = durable_end()};
  }

  // Refuses further calls, fails waiters, waits for calls and syncs under way,
  // trims the files to their exact length and syncs them. Idempotent. Only a
  // `Read` may go on after it: it changes nothing.
  //
  // Errors: the poison, or why the log did not close cleanly: it has to be
  // recovered at the next open then.
  absl::Status Close();

  // Ends the log of a partition that was deleted: calls fail with NotFound from
  // now on, waiters with Cancelled. The files stay as they are, and are closed;
  // views keep their mappings.
  void Abandon();

 private:
  absl::StatusOr<AppendResult> AppendBatch(
      const IncomingBatch& batch, Durability durability,
      absl::FunctionRef<void(const BatchPlacement&, char*)> place);
  // May release the lock, and take it again, before the first append.
  absl::Status PrepareAppend() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status OpenWriterUnlocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status OpenWriter() ABSL_LOCKS_EXCLUDED(sync_mu_, mu_);
  // Poisons the log unless the failure has left everything as it was; returns
  // what the caller hears.
  absl::Status NoteFailure(const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The only way in. Returns whether it is the first time.
  bool Poison(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Whether a new segment has begun.
  bool PublishEnd() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool NeedsSync(Durability durability, int64_t now_ms)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status ClosedError() const {
    return ending_.ToStatus(directory_->path());
  }
  // A read that fails since the files went with the log says that.
  template <typename T>
  absl::StatusOr<T> UnlessEnded(absl::StatusOr<T> result) const {
    if (!result.ok() && ending_.has_ended()) return ClosedError();
    return result;
  }
  // NotFound is said of topics alone: a file that is missing is a loss, unless
  // it went with its topic.
  absl::Status MissingAsLoss(const absl::Status& status) const;
  absl::Status SyncTo(int64_t offset) ABSL_LOCKS_EXCLUDED(sync_mu_, mu_);
  absl::Status SyncSealedBelow(int64_t offset)
      ABSL_LOCKS_EXCLUDED(sync_mu_, mu_);
  absl::Status SyncAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(sync_mu_)
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status FailSync(const UnsyncedFiles& unsynced,
                        const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_);
  void GiveUpSync(const UnsyncedFiles& unsynced) ABSL_LOCKS_EXCLUDED(mu_);
  // Syncs a segment that is being closed; else does nothing.
  absl::Status SyncClosing() ABSL_EXCLUSIVE_LOCKS_REQUIRED(sync_mu_)
      ABSL_LOCKS_EXCLUDED(mu_);
  void SetActive(bool active) {
    if (is_active_.exchange(active, std::memory_order_relaxed) == active)
      return;
    open_segments_->active.fetch_add(active ? 1 : -1,
                                     std::memory_order_relaxed);
  }
  // Stores only what is not there yet: the flag's line is shared by all
  // threads.
  void NoteUse() {
    if (!used_.load(std::memory_order_relaxed)) {
      used_.store(true, std::memory_order_relaxed);
    }
  }
  absl::Status CloseWriter() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Constant after construction.
  const Environment environment_;
  const absl::Duration sync_interval_;
  const std::shared_ptr<PartitionLogListener> listener_;
  const std::shared_ptr<OpenSegments> open_segments_;
  const std::unique_ptr<Directory> directory_;
  const std::shared_ptr<PartitionMeters> meters_;

  SegmentList segments_;
  TrimmedSegments trimmed_;
  SegmentFacts segment_facts_;

  LogEnds ends_;
  LogReader reader_;

  PartitionEnding ending_;  // set with `mu_` held
  CallGate calls_;          // those that take more than one step
  // Whether there is an active segment.
  // Memory ordering: relaxed; a hint, the lock's holder asks the writer.
  std::atomic<bool> is_active_ = false;
  // Memory ordering: set before the bell is rung, taken by who hears it.
  std::atomic<bool> preparation_wanted_ = false;
  // Memory ordering: as that.
  std::atomic<bool> retention_wanted_ = false;
  // Memory ordering: relaxed; for the budget, as of the last preparation.
  std::atomic<int64_t> populated_ahead_ = 0;
  // Memory ordering: relaxed; a hint for whoever parks logs.
  std::atomic<bool> used_ = false;

  // Held while the disk syncs. Before `mu_`.
  absl::Mutex sync_mu_ ABSL_ACQUIRED_BEFORE(mu_);

  // The writer lock.
  mutable absl::Mutex mu_;
  LogConfig config_ ABSL_GUARDED_BY(mu_);
  PartitionWriter writer_ ABSL_GUARDED_BY(mu_);  // borrows `config_`
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  bool close_has_ended_ ABSL_GUARDED_BY(mu_) = false;
  // The poison; or why it is not closed cleanly.
  absl::Status failure_ ABSL_GUARDED_BY(mu_);
  SyncSchedule sync_schedule_ ABSL_GUARDED_BY(mu_);
  EndWaiters waiters_ ABSL_GUARDED_BY(mu_);
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_LOG_H_
