// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SEGMENT_BATCH_SCANNER_H_
#define VARVE_LOG_SEGMENT_BATCH_SCANNER_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "absl/log/check.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/continuity.h"
#include "varve/log/metadata/leader_epochs.h"

namespace varve {

// Why a scan stopped, or that it has not.
enum class ScanStop {
  kNone,         // at a batch
  kEnd,          // after the last byte
  kZeros,        // only zeros are left: allocated and not written
  kBadBatch,     // not a batch: `defect()` says why
  kWrongOffset,  // a batch whose base offset does not continue the log
  kWrongEpoch,   // a batch of an epoch that was not in force at its offset
};

// A phrase for messages.
std::string_view ScanStopText(ScanStop stop);

// A place in a segment, and the base offset of the batch that is, or should be,
// there.
struct BatchPlace {
  int64_t position = 0;
  int64_t base_offset = 0;
};

// Walks the record batches of one segment's bytes, front to back, and checks
// each against what came before it. What a batch's CRC leaves out is checked
// here by rule (log/FORMAT.md, "What the CRC leaves out").
//
// Borrows the bytes and the epochs, which must outlive it.
//
// Thread safety: externally synchronized.
class BatchScanner {
 public:
  struct Options {
    CrcCheck crc = CrcCheck::kVerify;
    Continuity continuity = Continuity::kExact;
    // No gap ends past this offset, even where gaps are allowed.
    int64_t gaps_end = std::numeric_limits<int64_t>::max();
    // The offset at which the log continues after these bytes, if it is known.
    std::optional<int64_t> next_base_offset = {};
    // Null: epochs are not checked.
    const LeaderEpochs* epochs = nullptr;
  };

  // The batch at `start` must have that base offset, or with kGapsAllowed one
  // that is not lower.
  BatchScanner(std::string_view bytes, const BatchPlace& start,
               const Options& options)
      : bytes_(bytes),
        position_(start.position),
        expected_offset_(start.base_offset),
        options_(options),
        search_budget_(4 * static_cast<int64_t>(bytes.size())) {
    DCHECK_GE(position_, 0);
    DCHECK_LE(position_, static_cast<int64_t>(bytes_.size()));
  }

  // The batch at `position()`, or null: `stop()` says why. The scanner stays
  // there until `Advance`.
  const RecordBatch* Peek();

  // Verifies the CRC of the batch that `Peek` returned, which a scan with
  // CrcCheck::kSkip has not. If it is wrong, returns false, and `stop()` and
  // `defect()` say what a scan with kVerify would have stopped at, until the
  // next `Peek`, which does not look at the CRC.
  bool VerifyCrc();

  // Steps over the batch that `Peek` returned.
  void Advance();

  // Continues at another place.
  void Resume(const BatchPlace& place);

  ScanStop stop() const { return stop_; }
  BatchDefect defect() const { return defect_; }
  int64_t position() const { return position_; }
  int64_t expected_offset() const { return expected_offset_; }

  // Looks after a stop for the next batch that is whole, has an offset the log
  // could have reached, and an epoch in force there. Returns nothing when there
  // is none. It is the batch at the stop itself when only offsets before it are
  // missing: the bytes after it agree with its offset, which no checksum
  // covers. The place where a bad batch claims to end is tried first, so that a
  // batch inside its records is not taken for the next. All searches of one
  // scanner together, and the bad batches it stopped at, cost at most four
  // checksums over the bytes, so hostile bytes cannot make them quadratic; a
  // search that reaches this bound returns nothing.
  std::optional<BatchPlace> FindBatchBehind();

 private:
  ScanStop Classify();
  bool OnlyZerosLeft() const;
  bool Continues(const RecordBatch& batch) const;
  bool EpochFits(const RecordBatch& batch) const;
  std::optional<BatchPlace> BatchAtStop();
  std::optional<BatchPlace> BatchAtClaimedEnd();
  std::optional<BatchPlace> BatchAt(int64_t position);

  const std::string_view bytes_;
  int64_t position_;
  int64_t expected_offset_;
  const Options options_;
  ScanStop stop_ = ScanStop::kNone;
  BatchDefect defect_ = BatchDefect::kNone;
  std::optional<RecordBatch> batch_;
  int64_t search_budget_;  // bytes that may still be summed for searches
};

}  // namespace varve

#endif  // VARVE_LOG_SEGMENT_BATCH_SCANNER_H_
