// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_READ_ONLY_PARTITION_H_
#define VARVE_API_READ_ONLY_PARTITION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/log_bounds.h"
#include "varve/log/metadata/partition_stats.h"
#include "varve/log/metadata/read_options.h"

namespace varve {

class ReadOnlyPartitionReader;

// A handle on one partition of a store that is open to read only. It is as
// cheap to copy as a shared_ptr, and may outlive its store.
//
// Its calls read files, so all can fail: with NotFound when the topic has been
// deleted, and with file errors (log/system/errno_status.h). Only further
// errors are listed at each call.
//
// Thread safety: thread-safe; calls of one handle and its copies take turns,
// and it remembers where the last read ended. Threads that read side by side
// take a handle each from ReadOnlyStore::partition. Not for use in a process
// that was forked from the one that opened the store.
//
// A handle that was default-constructed or moved from is empty: it may be
// assigned to, copied, destroyed and asked whether it is `valid`. `topic` and
// `index` end the program then, and all else fails with FailedPrecondition.
class ReadOnlyPartition {
 public:
  ReadOnlyPartition() = default;

  // Whether it is a handle on a partition: not empty.
  bool valid() const { return reader_ != nullptr; }
  explicit operator bool() const { return valid(); }

  const std::string& topic() const;
  int32_t index() const;

  // Reads records from `offset` on, as whole batches; continue at
  // `next_offset()` of what is returned, or have a Cursor do that
  // (api/cursor.h). Empty when there is nothing yet.
  // ReadLevel::kDefault is kVisible here; kDurable ends at the recovery point
  // that the store's checkpoint names, a second late at most. Compressed
  // batches are read as by Partition::Read, with ReadOnlyOptions::codecs.
  // Isolation::kReadCommitted ends where the writer's does, at the last stable
  // offset. It costs another read of what was appended since the last one, at
  // first of what was since the last roll before the recovery point; and 32
  // bytes of memory for each aborted transaction of the log, while the handle
  // is kept.
  //
  // Errors:
  //   OutOfRange  Below the log start: it was trimmed away, perhaps since the
  //               last call; or past the end. The message names the bounds,
  //               and `Bounds` has them.
  //   DataLoss    The record is damaged or missing. The message says where,
  //               why, and the next readable offset, which
  //               log/metadata/next_readable_offset.h returns; records around
  //               it can still be read.
  //   Unavailable  The files change as fast as they are read: try again.
  //   ResourceExhausted  With Isolation::kReadCommitted: more than 2^22
  //               transactions were aborted in the log.
  absl::StatusOr<RecordBatches> Read(int64_t offset,
                                     const ReadOptions& options = {}) const;

  // Blocks until a read of `offset`, of this level and isolation, returns
  // records or an error, by polling: every millisecond at first, every 50 ms
  // when nothing comes.
  //
  // Errors: DeadlineExceeded.
  absl::Status WaitFor(int64_t offset,
                       absl::Time deadline = absl::InfiniteFuture(),
                       ReadLevel level = ReadLevel::kDefault,
                       Isolation isolation = Isolation::kReadUncommitted) const;

  // The offset of the first record whose timestamp is `time` or later; when
  // every record is earlier, the end that a read of this level sees. Programs
  // choose their timestamps, so records of an earlier time may follow it.
  absl::StatusOr<int64_t> OffsetForTime(
      absl::Time time, ReadLevel level = ReadLevel::kDefault) const;

  // Log start, recovery point (a lower bound of the durable end), visible end
  // and number of segments, as they are now. Reads the files on every call;
  // `log_start()` and `visible_end()` each call this.
  absl::StatusOr<LogBounds> Bounds() const;

  // The partition as it is now: offsets, sizes, epochs, times. It leaves out
  // what only the writer knows, and its durable end is a second late at most.
  //
  // Errors: DataLoss when the file of the leader epochs is damaged.
  absl::StatusOr<PartitionStats> Stats() const;

  // The offset of the first record; a trim shows within two seconds.
  absl::StatusOr<int64_t> log_start() const;
  // One past the last record.
  absl::StatusOr<int64_t> visible_end() const;
  // Where a read of this level ends now: the recovery point or the visible end;
  // of committed records, the last stable offset, if that comes before. Errors:
  // those of `Read`.
  absl::StatusOr<int64_t> ReadableEnd(
      ReadLevel level = ReadLevel::kDefault,
      Isolation isolation = Isolation::kReadUncommitted) const;

 private:
  friend class Cursor;
  friend class ReadOnlyStore;

  ReadOnlyPartition(std::string topic, int32_t index,
                    std::shared_ptr<ReadOnlyPartitionReader> reader)
      : topic_(std::move(topic)), index_(index), reader_(std::move(reader)) {}

  // Errors: FailedPrecondition when it is empty.
  absl::Status CheckUsable() const;
  // Whether a `Read` of `offset` returns something else than "not yet".
  bool HasNews(int64_t offset, const ReadOptions& options) const;

  std::string topic_;
  int32_t index_ = 0;
  std::shared_ptr<ReadOnlyPartitionReader> reader_;  // null: it is empty
};

}  // namespace varve

#endif  // VARVE_API_READ_ONLY_PARTITION_H_
