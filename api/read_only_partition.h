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
#include "log/partition_reader.h"
#include "log/partition_stats.h"
#include "log/read_options.h"
#include "log/record_batches.h"

namespace varve {

// A handle on one partition of a store that is open to read only. It is as
// cheap to copy as a shared_ptr, and may outlive its store.
//
// Its calls look at files, so all can fail: with NotFound when the topic has
// been deleted, and with the errors of the files. Only what a call says besides
// is listed there.
//
// Thread safety: thread-safe; calls of one handle and its copies take turns,
// and it remembers where the last read ended. Threads that read side by side
// take a handle each from ReadOnlyStore::partition. Not for use in a process
// that was forked from the one that opened the store.
class ReadOnlyPartition {
 public:
  const std::string& topic() const { return topic_; }
  int32_t index() const { return index_; }

  // Reads records from `offset` on, as whole batches; continue at
  // `next_offset()` of what is returned. Empty when there is nothing yet.
  // ReadLevel::kDefault is kVisible here; kDurable ends at the recovery point
  // that the store's checkpoint names, a second late at most.
  //
  // Errors:
  //   OutOfRange  Below the log start: it was trimmed away, perhaps since the
  //               last call; or past the end. The message names the bounds,
  //               and `Bounds` has them.
  //   DataLoss    The record is damaged or missing. The message says where,
  //               why, and the next readable offset; records around it can
  //               still be read.
  absl::StatusOr<RecordBatches> Read(int64_t offset,
                                     const ReadOptions& options = {}) const {
    return reader_->Read(offset, options);
  }

  // Blocks until a read of `offset` has something to say, by looking again and
  // again: every millisecond at first, every 50 ms when nothing comes.
  //
  // Errors: DeadlineExceeded.
  absl::Status WaitFor(int64_t offset,
                       absl::Time deadline = absl::InfiniteFuture(),
                       ReadLevel level = ReadLevel::kDefault) const {
    return reader_->WaitFor(offset, deadline, level);
  }

  // The offset of the first record whose timestamp is `time` or later; when
  // every record is earlier, the end that a read of this level sees. Programs
  // choose their timestamps, so records of an earlier time may follow it.
  absl::StatusOr<int64_t> OffsetForTime(
      absl::Time time, ReadLevel level = ReadLevel::kDefault) const {
    return reader_->OffsetForTime(time, level);
  }

  // Log start, recovery point (a lower bound of the durable end), visible end
  // and number of segments, as they are now. Looks at the files each time;
  // `log_start` and `visible_end` are this call each.
  absl::StatusOr<LogBounds> Bounds() const { return reader_->Bounds(); }

  // The partition as it is now: offsets, sizes, epochs, times. What only its
  // writer knows is left out, and its durable end is a second late at most.
  //
  // Errors: DataLoss when the file of the leader epochs is damaged.
  absl::StatusOr<PartitionStats> Stats() const { return reader_->Stats(); }

  // The offset of the first record, or of a moment ago: a trim shows within two
  // seconds.
  absl::StatusOr<int64_t> log_start() const {
    absl::StatusOr<LogBounds> bounds = Bounds();
    if (!bounds.ok()) return bounds.status();
    return bounds->log_start;
  }
  // One past the last record.
  absl::StatusOr<int64_t> visible_end() const {
    absl::StatusOr<LogBounds> bounds = Bounds();
    if (!bounds.ok()) return bounds.status();
    return bounds->visible_end;
  }

 private:
  friend class ReadOnlyStore;

  ReadOnlyPartition(std::string topic, int32_t index,
                    std::shared_ptr<PartitionReader> reader)
      : topic_(std::move(topic)), index_(index), reader_(std::move(reader)) {}

  std::string topic_;
  int32_t index_;
  std::shared_ptr<PartitionReader> reader_;
};

}  // namespace varve

#endif  // VARVE_API_READ_ONLY_PARTITION_H_
