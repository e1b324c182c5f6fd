// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_READ_ONLY_READ_ONLY_SEGMENT_READ_H_
#define VARVE_LOG_READ_ONLY_READ_ONLY_SEGMENT_READ_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/read_only/read_only_segment.h"
#include "varve/log/segment/batch_scanner.h"

namespace varve {

struct ReadOnlyReadOptions {
  int64_t offset = 0;     // first record wanted; batches before are skipped
  int64_t max_bytes = 0;  // of batches, at most, but never less than one batch
  // Of those among them that are compressed, likewise.
  int64_t compressed_max_bytes = std::numeric_limits<int64_t>::max();
  // Bytes to read from the file at a time, at first.
  int64_t window_bytes = 0;
  // Used only for a mapped segment: bytes that are read from a file may be half
  // written, and are always verified.
  CrcCheck crc = CrcCheck::kVerify;
  Continuity continuity = Continuity::kExact;
};

// The smallest piece of a file that is read, and the largest when nothing asks
// for more: a batch that is larger is read whole.
inline constexpr int64_t kReadWindowMin = int64_t{16} << 10;
inline constexpr int64_t kReadWindowMax = int64_t{1} << 20;

// Whole, consecutive, checked batches, the first of which holds the offset that
// was asked for or, where compaction left a gap, is the next one after it.
struct ReadOnlySlice {
  std::shared_ptr<const void> pin;  // keeps `bytes`
  std::string_view bytes;           // empty: none, and `stop` says why
  // The place after the last batch that was returned or skipped.
  BatchPlace next;
  // What is at `next`, if it was read: kZeros also when only the length field
  // is zero, because that is written last.
  ScanStop stop = ScanStop::kNone;
  BatchDefect defect = BatchDefect::kNone;
  bool has_compressed = false;  // whether one of the batches is
};

// Walks the batches of a segment from `start` on: a place where a batch begins,
// or will. Reads no more of the file than it needs, and uses no more memory
// than the size of the file, whatever that holds. It computes no CRC of a batch
// that does not fit.
//
// Errors: those of `ReadOnlySegment::ReadBytes`. Bytes that are no batch, or
// not the next one, are a stop and not an error: they may be one a moment
// later.
absl::StatusOr<ReadOnlySlice> ReadReadOnlyBatches(
    const ReadOnlySegment& segment, const BatchPlace& start,
    const ReadOnlyReadOptions& options);

}  // namespace varve

#endif  // VARVE_LOG_READ_ONLY_READ_ONLY_SEGMENT_READ_H_
