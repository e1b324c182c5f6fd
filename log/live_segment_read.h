// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_LIVE_SEGMENT_READ_H_
#define VARVE_LOG_LIVE_SEGMENT_READ_H_

#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "log/batch_scanner.h"
#include "log/live_segment.h"
#include "log/record_batch.h"

namespace varve {

struct LiveReadOptions {
  int64_t offset = 0;     // the first record wanted; batches before are passed
  int64_t max_bytes = 0;  // of batches, at most, but never less than one batch
  // Bytes to read from the file at a time, to begin with.
  int64_t window_bytes = 0;
  // Looked at for a mapped segment only: what is read from a file may be half
  // written, and is always verified.
  CrcCheck crc = CrcCheck::kVerify;
  Continuity continuity = Continuity::kExact;
};

// The smallest piece of a file that is read, and the largest when nothing asks
// for more: a batch that is larger is read whole.
inline constexpr int64_t kLiveWindowMin = int64_t{16} << 10;
inline constexpr int64_t kLiveWindowMax = int64_t{1} << 20;

// Whole, consecutive, checked batches, the first of which holds the offset that
// was asked for or, where compaction left a gap, is the next one behind it.
struct LiveSlice {
  std::shared_ptr<const void> pin;  // keeps `bytes`
  std::string_view bytes;           // empty: none, and `stop` says why
  // Behind the last batch that was handed out or passed.
  BatchPlace next;
  // What stands at `next`, if it was looked at: kZeros also when only the
  // length field is zero, since that is written last.
  ScanStop stop = ScanStop::kNone;
  BatchDefect defect = BatchDefect::kNone;
};

// Walks the batches of a segment from `start` on: a place where a batch begins,
// or will. Reads no more of the file than it needs; whatever the file holds, no
// more memory than the file is large.
//
// Errors: those of `LiveSegment::ReadBytes`. What is no batch, or not the next
// one, is a stop and no error: it may be one a moment later.
absl::StatusOr<LiveSlice> ReadLiveBatches(const LiveSegment& segment,
                                          const BatchPlace& start,
                                          const LiveReadOptions& options);

}  // namespace varve

#endif  // VARVE_LOG_LIVE_SEGMENT_READ_H_
