// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_PARTITION_READER_H_
#define VARVE_LOG_PARTITION_PARTITION_READER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/log/batch/decompressor.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/partition/watermarks.h"
#include "varve/log/producer_state/aborted_transactions.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/segment.h"
#include "varve/log/segment/segment_list.h"

namespace varve {

// The reading side of one partition: finds offsets and times in its segments,
// and decompresses.
//
// Borrows the segments and the ends, which must outlive it.
//
// Thread safety: thread-safe. Takes no lock but the segment list's, and for
// committed records, when transactions were aborted, that of those; a segment
// that is not open is opened first (SegmentList::Find).
class PartitionReader {
 public:
  struct Parts {
    std::string path;  // the partition's, for messages
    SegmentList* segments = nullptr;
    const Watermarks* ends = nullptr;
    Decompressor decompressor = Decompressor();
  };
  PartitionReader(Parts parts, Continuity continuity)
      : path_(std::move(parts.path)),
        segments_(parts.segments),
        ends_(parts.ends),
        decompressor_(std::move(parts.decompressor)),
        continuity_(continuity) {}

  // The aborted transactions of the log. Call it once, before the first read.
  void SetAborted(std::shared_ptr<AbortedTransactions> aborted) {
    aborted_ = std::move(aborted);
  }

  // Notes whether offsets may be left out from now on. Once they may, they
  // always may: bytes do not change with a config.
  void NoteContinuity(Continuity continuity) {
    if (continuity == Continuity::kGapsAllowed)
      continuity_.store(continuity, std::memory_order_relaxed);
  }

  // Reads batches from the one that holds `offset` on: in its segment, or in
  // the next one that has any where offsets may be left out.
  //
  // Allocates nothing on success, unless it decompresses (see
  // Decompressor::Decompress), or leaves out what aborted transactions have
  // written.
  //
  // Errors: those of PartitionLog::Read.
  absl::StatusOr<RecordBatches> Read(int64_t offset,
                                     const ReadOptions& options) const;

  // The offset of the first record of that time or later; the end of this level
  // when there is none.
  //
  // Errors: DataLoss when a segment is missing; other file errors
  // (log/system/errno_status.h).
  absl::StatusOr<int64_t> OffsetForTime(absl::Time time, ReadLevel level) const;

  // The error OutOfRange, with the bounds.
  absl::Status OutOfRange(int64_t offset, int64_t end) const;

 private:
  absl::StatusOr<RecordBatches> ReadTo(int64_t end, int64_t offset,
                                       const ReadOptions& options) const;
  RecordBatches Decompress(RecordBatches view, const Segment& segment,
                           int64_t max_bytes) const;
  bool MayHaveAborted() const {
    return aborted_ != nullptr && !aborted_->empty();
  }
  absl::Status LeaveOutAborted(RecordBatches& view) const;
  absl::StatusOr<SegmentList::Found> Find(int64_t offset, int64_t end) const;
  absl::StatusOr<int64_t> FindTime(int64_t timestamp_ms, int64_t begin,
                                   int64_t end) const;

  const std::string path_;
  SegmentList* const segments_;
  const Watermarks* const ends_;
  const Decompressor decompressor_;
  std::shared_ptr<AbortedTransactions> aborted_;  // null: none
  // Memory ordering: relaxed; both values lead to a right read.
  std::atomic<Continuity> continuity_;
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_PARTITION_READER_H_
