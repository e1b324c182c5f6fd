// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_PARTITION_READER_H_
#define VARVE_LOG_PARTITION_PARTITION_READER_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/log/batch/decompressor.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/partition/watermarks.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/segment.h"
#include "varve/log/segment/segment_list.h"

namespace varve {

// The reading side of one partition: finds offsets and times in its segments,
// and decompresses.
//
// Borrows the segments and the ends, which must outlive it.
//
// Thread safety: thread-safe. Takes no lock but the segment list's; a segment
// that is not open is opened first (SegmentList::Find).
class PartitionReader {
 public:
  // `path` is the partition's, for messages.
  PartitionReader(std::string path, SegmentList* segments,
                  const Watermarks* ends, Continuity continuity,
                  Decompressor decompressor)
      : path_(std::move(path)),
        segments_(segments),
        ends_(ends),
        decompressor_(std::move(decompressor)),
        continuity_(continuity) {}

  // Notes whether offsets may be left out from now on. Once they may, they
  // always may: bytes do not change with a config.
  void NoteContinuity(Continuity continuity) {
    if (continuity == Continuity::kGapsAllowed)
      continuity_.store(continuity, std::memory_order_relaxed);
  }

  // Reads batches from the one that holds `offset` on: in its segment, or in
  // the next one that has any where offsets may be left out.
  //
  // Allocates nothing on success, unless it decompresses: see
  // Decompressor::Decompress.
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
  absl::StatusOr<SegmentList::Found> Find(int64_t offset, int64_t end) const;
  absl::StatusOr<int64_t> FindTime(int64_t timestamp_ms, int64_t begin,
                                   int64_t end) const;

  const std::string path_;
  SegmentList* const segments_;
  const Watermarks* const ends_;
  const Decompressor decompressor_;
  // Memory ordering: relaxed; both values lead to a right read.
  std::atomic<Continuity> continuity_;
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_PARTITION_READER_H_
