// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_LOG_READER_H_
#define VARVE_LOG_LOG_READER_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "log/batch_scanner.h"
#include "log/log_ends.h"
#include "log/read_options.h"
#include "log/record_batches.h"
#include "log/segment_list.h"

namespace varve {

// The reading side of one partition: finds offsets and times in its segments.
//
// Borrows the segments and the ends, which must outlive it.
//
// Thread safety: thread-safe. Takes no lock but the segment list's.
class LogReader {
 public:
  // `path` is the partition's, for messages.
  LogReader(std::string path, SegmentList* segments, const LogEnds* ends,
            Continuity continuity)
      : path_(std::move(path)),
        segments_(segments),
        ends_(ends),
        continuity_(continuity) {}

  // Takes note of what may be left out from now on. What may have been left out
  // before stays so: bytes do not change with a config.
  void NoteContinuity(Continuity continuity) {
    if (continuity == Continuity::kGapsAllowed)
      continuity_.store(continuity, std::memory_order_relaxed);
  }

  // Reads batches from the one that holds `offset` on: in its segment, or in
  // the next one that has any where offsets may be left out.
  //
  // Errors: as of PartitionLog::Read.
  absl::StatusOr<RecordBatches> Read(int64_t offset,
                                     const ReadOptions& options) const;

  // The offset of the first record of that time or later; the end of this level
  // when there is none.
  //
  // Errors: those of opening the files.
  absl::StatusOr<int64_t> OffsetForTime(absl::Time time, ReadLevel level) const;

  // OutOfRange, with the bounds.
  absl::Status OutOfRange(int64_t offset, int64_t end) const;

 private:
  absl::StatusOr<RecordBatches> ReadTo(int64_t end, int64_t offset,
                                       const ReadOptions& options) const;
  absl::StatusOr<SegmentList::Found> Find(int64_t offset, int64_t end) const;
  absl::StatusOr<int64_t> FindTime(int64_t timestamp_ms, int64_t begin,
                                   int64_t end) const;

  const std::string path_;
  SegmentList* const segments_;
  const LogEnds* const ends_;
  // Memory ordering: relaxed; both values lead to a right read.
  std::atomic<Continuity> continuity_;
};

}  // namespace varve

#endif  // VARVE_LOG_LOG_READER_H_
