// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_LOG_H_
#define VARVE_LOG_PARTITION_LOG_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "log/durability.h"
#include "log/encoded_batch.h"
#include "log/environment.h"
#include "log/file_system.h"
#include "log/log_config.h"
#include "log/partition_recovery.h"
#include "log/partition_writer.h"
#include "log/record.h"
#include "log/record_batch.h"
#include "log/record_batches.h"
#include "log/segment_list.h"

namespace varve {

// Where a record, or the first record of a batch, went.
struct AppendResult {
  int64_t offset = 0;
  // The time the record reads as; of a batch, the latest of its records.
  // InfinitePast when the batch has none.
  absl::Time timestamp;
};

struct ReadOptions {
  // Bytes of batches to return at most; always one whole batch at least.
  // Larger: fewer calls; a view that pins more. Default: 1 MiB. Range: 0 up.
  int64_t max_bytes = int64_t{1} << 20;
  // Whether each batch's CRC is verified before it is handed out.
  CrcCheck crc = CrcCheck::kVerify;
};

// What a partition's log tells its store.
//
// Thread safety: called from any thread, some of the partition's locks held:
// do not call back.
class PartitionLogListener {
 public:
  virtual ~PartitionLogListener() = default;

  // Before the log first changes a file. Not OK: it changes nothing and the
  // call that wanted to fails with this.
  virtual absl::Status BeforeFirstChange() = 0;

  // `SyncDue` has become earlier.
  virtual void SyncWanted() = 0;

  // `checkpoint` has changed. Called after every sync.
  virtual void CheckpointChanged() = 0;
};

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
// sync left in the page cache is not what the disk holds.
class PartitionLog {
 public:
  struct Options {
    LogConfig config;
    Environment environment;
    // A kInterval append is synced before it is older than this.
    absl::Duration sync_interval = absl::Seconds(1);
    std::shared_ptr<PartitionLogListener> listener;
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
  // ResourceExhausted when the disk is full: nothing was appended, and a later
  // call may succeed. FailedPrecondition when the log is closed, or read-only
  // since its recovery. Any other code: a failed sync or write; the record may
  // be visible, is not known to be durable, and the log is poisoned.
  absl::StatusOr<AppendResult> Append(const Record& record,
                                      Durability durability);

  // Appends a batch whole: after any crash all of its records are there or
  // none. Errors: as above.
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

  // Blocks until `offset` is below the visible end.
  //
  // Errors: DeadlineExceeded; Cancelled when the log is closed meanwhile.
  absl::Status WaitFor(int64_t offset, absl::Time deadline);

  // Makes everything appended so far durable.
  //
  // Errors: the poison, see above.
  absl::Status Sync();

  int64_t log_start() const { return log_start_; }
  int64_t durable_end() const {
    return durable_end_.load(std::memory_order_acquire);
  }
  int64_t visible_end() const {
    return visible_end_.load(std::memory_order_acquire);
  }
  int64_t segment_count() const { return segments_.count(); }
  const LogConfig& config() const { return options_.config; }

  // When `Sync` should be called next for the sake of kInterval appends and
  // sealed segments; InfiniteFuture when there is nothing to do.
  absl::Time SyncDue();

  // What the store's checkpoint should say of this log.
  PartitionCheckpoint checkpoint() const {
    return {.log_start = log_start(), .recovery_point = durable_end()};
  }

  // Refuses further calls, fails waiters, waits for appends under way, trims
  // the files to their exact length and syncs them. Idempotent.
  //
  // Errors: the poison, or why the log did not close cleanly: it has to be
  // recovered at the next open then.
  absl::Status Close();

 private:
  absl::StatusOr<AppendResult> AppendBatch(
      const IncomingBatch& batch, Durability durability,
      absl::FunctionRef<void(const BatchPlacement&, char*)> place);
  absl::Status PrepareAppend() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status NoteFailure(const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void PublishEnd() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool NeedsSync(Durability durability) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool IsOverdue(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<RecordBatches> ReadFrom(int64_t offset, int64_t end,
                                         const ReadOptions& options);
  absl::Status SyncTo(int64_t offset) ABSL_LOCKS_EXCLUDED(sync_mu_, mu_);
  absl::Status SyncFiles(const PartitionWriter::Unsynced& unsynced)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(sync_mu_);

  // Constant after construction.
  const Options options_;
  const absl::Duration sync_interval_;  // flush.ms may shorten it
  const std::unique_ptr<Directory> directory_;
  const int64_t log_start_;

  SegmentList segments_;

  // Memory ordering: stored with release after the batch is visible in its
  // segment; a reader that loads it with acquire finds every record below it.
  std::atomic<int64_t> visible_end_;
  // Memory ordering: stored with release after the sync returned; it orders
  // nothing else.
  std::atomic<int64_t> durable_end_;
  // Memory ordering: relaxed; a late look at it only lets one more read
  // through.
  std::atomic<bool> closed_for_reads_ = false;

  // Held while the disk syncs. Before `mu_`.
  absl::Mutex sync_mu_ ABSL_ACQUIRED_BEFORE(mu_);

  // The writer lock.
  absl::Mutex mu_;
  PartitionWriter writer_ ABSL_GUARDED_BY(mu_);
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status failure_ ABSL_GUARDED_BY(mu_);  // the poison
  // When the oldest kInterval append that is not yet in a sync was made.
  absl::Time unsynced_since_ ABSL_GUARDED_BY(mu_) = absl::InfiniteFuture();
  // The same, of the appends that are being synced just now.
  absl::Time syncing_since_ ABSL_GUARDED_BY(mu_) = absl::InfiniteFuture();
  int64_t waiter_count_ ABSL_GUARDED_BY(mu_) = 0;
  absl::CondVar visible_end_changed_;
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_LOG_H_
