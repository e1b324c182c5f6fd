// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_PARTITION_H_
#define VARVE_API_PARTITION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/partition_stats.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/partition/append_callback.h"
#include "varve/log/partition/append_event.h"
#include "varve/log/partition/append_result.h"
#include "varve/log/producer/producer_position.h"

namespace varve {

class AppendTrigger;
struct OpenedPartition;

// A handle on one partition of a topic: an ordered log of records, each known
// by its offset. It is as cheap to copy as a shared_ptr, and what is read
// through it may outlive the store.
//
// Offsets begin at 0, grow by one with each record and are never used again:
//
//   log_start() <= durable_end() <= visible_end()
//
// Records from the log start to before the visible end can be read; those
// before the durable end survive a power loss.
//
// Thread safety: thread-safe. Appends to one partition are serialized, for the
// time of one copy; readers do not wait for them.
//
// In a process that was forked from the one that opened the store, calls fail
// with FailedPrecondition too.
//
// After LogStore::Close, and for a handle that outlives its store: what
// appends, reads, syncs or trims fails with FailedPrecondition, what waits with
// Cancelled; offsets stay as they were and views valid. After
// LogStore::DeleteTopic the same, with NotFound.
//
// A handle that was default-constructed or moved from is empty: it may be
// assigned to, copied, destroyed and asked whether it is `valid`. Of its other
// functions, those that return a Status fail with FailedPrecondition; to call
// one that returns a name, an offset or a number is an error of the program,
// and ends it.
class Partition {
 public:
  Partition() = default;

  // Whether it is a handle on a partition: not empty. It stays one when the
  // store is closed and when the topic is deleted.
  bool valid() const { return opened_ != nullptr; }
  explicit operator bool() const { return valid(); }

  const std::string& topic() const;
  // The id that distinguishes the topic from another one of the same name.
  TopicId topic_id() const;
  int32_t index() const;

  // Appends one record, as a batch of its own. What OK promises is said at
  // `Durability`.
  //
  // Blocks: with kSynced for a sync, which appends of other threads share; else
  // for the partition's lock, at times for disk blocks, and, where kInterval or
  // flush.* have fallen due, for a sync. The append that begins a segment while
  // two others are too many by retention.bytes deletes them first: it waits for
  // a sync of those, a checkpoint and the unlinking, once, whether they succeed
  // or not (StoreMetrics::retention_wait_ns). There is no time limit. A thread
  // that must not wait for a sync uses AppendAsync.
  //
  // Errors:
  //   InvalidArgument     The record is larger than max.message.bytes or
  //                       segment.bytes, or its timestamp is before the epoch
  //                       or too far from now; or the topic is internal, the
  //                       store's own (log/metadata/topic_name.h). Nothing was
  //                       appended.
  //   ResourceExhausted   The disk, the quota or a limit of the process is
  //                       reached. Nothing was appended; it can be tried again
  //                       as soon as there is room, without a reopen.
  //   FailedPrecondition  The store is closed, or recovery left the partition
  //                       read-only (the recovery report says why).
  //   Unavailable         It is appended, and visible, but the sync that it
  //                       waits for could not be made: the disk or a limit of
  //                       the process is reached. Do not append it again: the
  //                       next sync that succeeds makes it durable.
  //   any other           A file could not be read, written or synced. After a
  //                       failed sync the record may be visible and is not
  //                       known to be durable, and every later append and sync
  //                       of the partition fails the same way until the store
  //                       is opened again. A view that is kept across that
  //                       reopen shows what the disk holds from then on. Look
  //                       for the record before appending it again.
  absl::StatusOr<AppendResult> Append(
      const Record& record, Durability durability = Durability::kSynced);

  // Appends a whole batch, built by a RecordBatchBuilder off every lock, or
  // taken from elsewhere by EncodedBatch::Parse. It is atomic: after any crash
  // all of its records are there or none. The offset returned is that of the
  // first.
  //
  // Idempotent when the batch names a producer (RecordBatchBuilder's options:
  // an id, an epoch, and the sequence of the first record, which counts the
  // records that the producer has appended to this partition, from 0 on): a
  // batch that is one of the last five of its producer is not appended again.
  // The result says where it is, `is_duplicate`, and is as durable as was asked
  // for. So an append whose outcome is not known, after a crash too, is
  // repeated until it succeeds, and the records are there once. A producer that
  // is not known may begin with any sequence; it is forgotten when it has not
  // appended for StoreOptions::producer_id_expiration, or when 16,384 others
  // have.
  //
  // Errors: those of the other Append; InvalidArgument also for a header that
  // no log may have, such as a timestamp out of range (log/FORMAT.md, "What an
  // append refuses"); Parse refuses such records, too. And for a producer, with
  // a reason that log/producer/producer_refusal.h returns; nothing was
  // appended:
  //   OutOfRange          The sequence leaves a gap: append what is missing.
  //   AlreadyExists       The records were appended before; where, is no longer
  //                       known.
  //   FailedPrecondition  A later epoch of the producer has appended: this one
  //                       must not go on. Or the batch is outside of the
  //                       transaction that it has open.
  absl::StatusOr<AppendResult> Append(
      const EncodedBatch& batch, Durability durability = Durability::kSynced);

  // Appends one record, or a whole batch, without waiting for its sync, and
  // calls `on_durable` when it survives a power loss. On return it is visible,
  // and its place is known. To readers it is as a kSynced append: in a
  // partition without weaker ones, ReadLevel::kDefault sees it when it is
  // durable.
  //
  //   auto where = orders.AppendAsync(
  //       {.value = job}, [id](absl::StatusOr<AppendResult> durable) {
  //         if (durable.ok()) Acknowledge(id);
  //       });
  //
  // For a std::future of the same:
  //
  //   std::promise<absl::StatusOr<AppendResult>> promise;
  //   auto durable = promise.get_future();
  //   auto where = orders.AppendAsync(
  //       record, [p = std::move(promise)](auto result) mutable {
  //         p.set_value(std::move(result));
  //       });
  //
  // It asks for a sync at once. One sync covers all that was appended before
  // it began, so while a sync is under way the next one gathers. The store's
  // own thread makes it; any other sync of the partition, such as that of a
  // kSynced append, does as well. With Background::kNone the program has to
  // call RunMaintenance, which syncs and makes the calls: nothing wakes it. A
  // sync for which there is no room (ResourceExhausted) is tried again after a
  // second, and the callback waits for that.
  //
  // After OK the callback is called exactly once; after an error it is not. Of
  // one partition they are called in the order of the offsets, one at a time,
  // and with no lock held: by the thread `varve-sync`; with Background::kNone
  // by the one that runs RunMaintenance; what is left, by the one that runs
  // Close, before that returns; it may be called before AppendAsync returns. So
  // hold no lock that a callback takes while you call Close or RunMaintenance.
  // A callback may use the store while it is not destroyed: append, also
  // by AppendAsync, read, commit. It must not throw, nor call Close or destroy
  // the store, nor wait for what its own thread would do: another callback, or
  // a sync that nobody else makes (WaitDurable). And it should be short:
  // callbacks of all partitions, the syncs of kInterval appends, and Close wait
  // for it.
  //
  // In a forked child of the process none is called.
  //
  // Blocks: for what a kMemory append blocks for; and for a sync when eight
  // sealed segments wait for theirs.
  //
  // The callback gets the AppendResult that was returned, or:
  //   Cancelled           The store was closed, and could not sync before that.
  //   NotFound            The topic was deleted before the sync.
  //   any other           A sync or a write of the partition failed, as of
  //                       `Append`: it is not known whether the record
  //                       survives.
  //
  // Precondition: `on_durable` is not null.
  // Errors: those of `Append` but for Unavailable; ResourceExhausted also when
  // kPendingAppendsMax callbacks of the partition are outstanding. Nothing was
  // appended then: try again when some of them were called.
  absl::StatusOr<AppendResult> AppendAsync(const Record& record,
                                           AppendCallback on_durable);
  absl::StatusOr<AppendResult> AppendAsync(const EncodedBatch& batch,
                                           AppendCallback on_durable);

  // Reads records from `offset` on, in place, as whole batches; continue at
  // `next_offset()` of what is returned, or have a Cursor do that
  // (api/cursor.h). From `readable_end()` of the level on it is empty, and
  // `next_offset()` is `offset`: stop there, or wait for more.
  // Do not read until `visible_end()`, which reads of a durable level reach
  // only after the next sync, and never after one that failed. Records of
  // transactions (Kafka's producers make them, and a RecordBatchBuilder that is
  // asked to) are read whether they were committed or not, unless `options`
  // asks for Isolation::kReadCommitted. The records of
  // compressed batches are decompressed here, unless `options` says otherwise;
  // one that cannot be decompressed does not fail the read:
  // RecordBatches::Records reports it when it gets there.
  //
  // Errors:
  //   OutOfRange          Below the log start (compare with `log_start()`: the
  //                       records were deleted) or past the visible end; the
  //                       message names the bounds.
  //   DataLoss            The record is damaged or missing. The message says
  //                       where, why, and the next readable offset, which
  //                       log/metadata/next_readable_offset.h returns; records
  //                       around it can still be read.
  //   FailedPrecondition  The store is closed.
  //   ResourceExhausted   A segment could not be opened for want of descriptors
  //                       or address space; try again when there are some.
  absl::StatusOr<RecordBatches> Read(int64_t offset,
                                     const ReadOptions& options = {}) const;

  // The offset of the first record whose timestamp is `time` or later; when
  // every record is earlier, the end that a read of this level sees. Programs
  // choose their timestamps, so records of an earlier time may follow it.
  //
  // Errors: DataLoss when a segment's file is missing, FailedPrecondition when
  // the store is closed, ResourceExhausted as of `Read`.
  absl::StatusOr<int64_t> OffsetForTime(
      absl::Time time, ReadLevel level = ReadLevel::kDefault) const;

  // Blocks until a read of this level and isolation gets past `offset`: returns
  // at once if it does. Waiting costs appends nothing but the wake-up. A
  // CursorSet waits for any of many partitions (api/cursor_set.h).
  //
  // Errors: DeadlineExceeded; Cancelled when the store is closed meanwhile; the
  // error of a failed sync, since nothing can be appended after it.
  absl::Status WaitFor(int64_t offset,
                       absl::Time deadline = absl::InfiniteFuture(),
                       ReadLevel level = ReadLevel::kDefault,
                       Isolation isolation = Isolation::kReadUncommitted) const;

  // Blocks until the record at `offset` survives a power loss. It syncs nothing
  // itself: it waits for the timer of kInterval, for a kSynced append, an
  // AppendAsync, or another thread's `Sync`. Errors: those of WaitFor.
  absl::Status WaitDurable(int64_t offset,
                           absl::Time deadline = absl::InfiniteFuture()) const;

  // A descriptor for an event loop, readable when the visible or the durable
  // end has moved, the partition has stopped taking appends, the store is
  // closed, or the topic is deleted; the next call says which. Make it before
  // reading to the end: log/partition/append_event.h says how it is used.
  //
  // Errors: ResourceExhausted when there can be no more descriptors;
  // FailedPrecondition when the store is closed.
  absl::StatusOr<std::shared_ptr<AppendEvent>> NewAppendEvent() const;

  // Deletes all records before `offset`: the log starts there, durably, and
  // the files that are wholly before it are deleted (what a view shows stays
  // until the view is dropped). Syncs what comes before `offset`, if it was
  // not. When the log starts there, or later, already, only that start is made
  // durable, and deletions that failed are tried again.
  //
  // Errors: OutOfRange past the visible end; FailedPrecondition when the store
  // is closed; InvalidArgument for an internal topic. When the sync fails, the
  // log starts where it did. When the new start cannot be written down or a
  // file not be deleted, as on a full disk, it starts at `offset` as long as
  // the store is open: call it again to make it durable. `log_start()` says
  // which.
  absl::Status TrimBefore(int64_t offset);

  // Makes all records appended so far durable, whatever they were appended
  // with. LogStore::Sync does it for several partitions. Errors:
  // FailedPrecondition when the store is closed; ResourceExhausted, and it can
  // be called again; those of a failed sync, as of `Append`.
  absl::Status Sync();

  // What the partition knows of a producer: its epoch, and the last batch that
  // it has appended, so that it can go on after a restart. Nothing when it
  // knows nothing of it, or has forgotten it.
  //
  // Errors: FailedPrecondition when the store is closed.
  absl::StatusOr<std::optional<ProducerPosition>> FindProducer(
      int64_t producer_id) const;

  // The partition as it is now: offsets, sizes on disk, leader epochs, times of
  // records, what is not synced, what views pin. It reads files;
  // LogStore::Metrics reads none.
  //
  // Errors: FailedPrecondition when the store is closed; file errors
  // (log/system/errno_status.h).
  absl::StatusOr<PartitionStats> Stats() const;

  // In Kafka's words: log start offset, high watermark, log end offset.

  // The offset of the first record.
  int64_t log_start() const;
  // One past the last record that survives a power loss.
  int64_t durable_end() const;
  // One past the last record.
  int64_t visible_end() const;
  // Where a read of this level ends now: the durable or the visible end; of
  // committed records, the last stable offset, if that comes before.
  int64_t readable_end(ReadLevel level = ReadLevel::kDefault,
                       Isolation isolation = Isolation::kReadUncommitted) const;
  // How many segments hold the records; each is a .log and two index files. 0
  // in a forked child.
  int64_t segment_count() const;
  // Bytes that a batch may have at most, with the topic's current configs.
  int64_t batch_size_max() const;

 private:
  friend class Cursor;
  friend class CursorSet;
  friend class LogStore;

  explicit Partition(std::shared_ptr<const OpenedPartition> opened)
      : opened_(std::move(opened)) {}

  // Precondition: `valid()`.
  const OpenedPartition& opened() const;
  // Errors: FailedPrecondition when it is empty, and in a forked child.
  absl::Status CheckUsable() const;
  // The same; InvalidArgument for an internal topic.
  absl::Status CheckWritable() const;

  // Whether a `Read` of `offset` returns something else than "not yet".
  bool HasNews(int64_t offset, const ReadOptions& options) const;
  // PartitionLog::Arm, and its opposite, which does nothing in a forked child.
  // Precondition: `HasNews` was false.
  void Arm(const std::shared_ptr<AppendTrigger>& trigger, int64_t offset) const;
  void Disarm(AppendTrigger& trigger) const;

  std::shared_ptr<const OpenedPartition> opened_;  // null: it is empty
};

}  // namespace varve

#endif  // VARVE_API_PARTITION_H_
