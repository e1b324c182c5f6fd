// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_INDEX_VERIFIER_H_
#define VARVE_LOG_INDEX_VERIFIER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "index/offset_index.h"
#include "index/time_index.h"
#include "log/file_system.h"
#include "log/record_batch.h"
#include "log/segment_name.h"
#include "log/verify_finding.h"

namespace varve {

// Whether a segment's files have been cut to their exact length.
enum class SegmentEnd { kTrimmed, kAllocatedAhead };

// Checks every entry of the two indexes of one segment against its batches,
// which it is told of one after another. It reads the files when it is made,
// and changes nothing.
//
// What it finds goes to a FindingList, which must outlive it.
//
// Thread safety: externally synchronized.
class IndexVerifier {
 public:
  struct Options {
    int64_t base_offset = 0;
    SegmentEnd end = SegmentEnd::kTrimmed;
    // Of what is found: a note when the next open makes the indexes again.
    FindingSeverity severity = FindingSeverity::kDamage;
  };

  IndexVerifier(Directory& directory, const Options& options,
                FindingList& findings);

  // The batches, in the order of their positions.
  void CheckBatch(const RecordBatch& batch, int64_t position);

  // The log is damaged up to `position`, and goes on with `offset`: entries for
  // what stood there are not judged.
  void SkipDamage(int64_t position, int64_t offset);

  // There is no further batch. With damage at the end, the entries left are
  // not judged.
  enum class LogEnd { kWhole, kDamaged };
  void Finish(LogEnd log_end);

  // CRC-32C of each whole file; nothing for one that is not there.
  std::optional<uint32_t> offset_index_crc() const { return offset_crc_; }
  std::optional<uint32_t> time_index_crc() const { return time_crc_; }

  // Entries in both files.
  int64_t entry_count() const { return offset_count_ + time_count_; }

 private:
  std::string Load(Directory& directory, SegmentFileKind kind,
                   int64_t entry_size, int64_t* count,
                   std::optional<uint32_t>* crc);
  void AddOffsetFinding(std::string_view what, std::string expected);
  void AddTimeFinding(std::string_view what, std::string expected);
  bool OffsetEntryGrows();
  bool TimeEntryGrows();
  bool OffsetEntryIsAheadOfNext();
  bool TimeEntryIsAheadOfNext();
  void CheckOffsetEntries(const RecordBatch& batch, int64_t position);
  void CheckTimeEntries(const RecordBatch& batch);

  const Options options_;
  FindingList& findings_;

  std::string offset_path_;
  std::string time_path_;
  int64_t offset_count_ = 0;
  int64_t time_count_ = 0;
  std::optional<uint32_t> offset_crc_;
  std::optional<uint32_t> time_crc_;
  std::string offset_bytes_;
  std::string time_bytes_;
  const OffsetIndex offsets_;
  const TimeIndex times_;

  int64_t next_offset_entry_ = 0;  // not judged yet
  int64_t next_time_entry_ = 0;
  OffsetPosition offset_before_ = {.offset = -1, .position = -1};  // sound one
  TimestampOffset time_before_ = {.timestamp_ms = -1, .offset = -1};
  int64_t max_timestamp_ms_ = kNoTimestamp;  // of the batches so far
  bool damage_skipped_ = false;
};

}  // namespace varve

#endif  // VARVE_LOG_INDEX_VERIFIER_H_
