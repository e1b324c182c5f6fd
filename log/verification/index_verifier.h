// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_VERIFICATION_INDEX_VERIFIER_H_
#define VARVE_LOG_VERIFICATION_INDEX_VERIFIER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/function_ref.h"
#include "varve/index/offset_index.h"
#include "varve/index/time_index.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/finding_list.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {

// Whether a segment's files have been cut to their exact length.
enum class SegmentEnd { kTrimmed, kAllocatedAhead };

// Checks every entry of the two indexes of one segment against its batches,
// which the caller passes one after another. It reads the files when it is
// constructed, and changes nothing.
//
// Adds its findings to a FindingList, which must outlive it.
//
// Thread safety: externally synchronized.
class IndexVerifier {
 public:
  struct Options {
    int64_t base_offset = 0;
    SegmentEnd end = SegmentEnd::kTrimmed;
    // The severity of the findings: a note when the next open makes the indexes
    // again.
    FindingSeverity severity = FindingSeverity::kDamage;
  };

  IndexVerifier(Directory& directory, const Options& options,
                FindingList& findings);

  // Checks the next batch, in the order of their positions.
  void CheckBatch(const RecordBatch& batch, int64_t position);

  // Notes that the log is damaged up to `position`, and continues with
  // `offset`: entries for the damaged part are not judged.
  void SkipDamage(int64_t position, int64_t offset);

  // Call it after the last batch. With damage at the end, the entries left are
  // not judged.
  enum class LogEnd { kWhole, kDamaged };
  void Finish(LogEnd log_end);

  // CRC-32C of each whole file; nothing for one that is not there.
  std::optional<uint32_t> offset_index_crc() const { return offsets_.crc(); }
  std::optional<uint32_t> time_index_crc() const { return times_.crc(); }

  // Entries in both files.
  int64_t entry_count() const { return offsets_.count() + times_.count(); }

 private:
  // What is wrong with an entry: nothing when `what` is empty.
  struct Defect {
    std::string_view what = {};
    std::string expected = {};
  };

  // The entries of one index, judged one after another. The place of an entry
  // is where its batch lies in the log: a position or an offset.
  template <typename Index>
  class Entries {
   public:
    using Entry = decltype(std::declval<const Index&>().entry(0));

    Entries(Directory& directory, SegmentFileKind kind, const Options& options,
            FindingList& findings);

    // Checks the entries up to `place`; `judge` says what is wrong with one.
    void CheckUpTo(int64_t place,
                   absl::FunctionRef<Defect(const Entry&)> judge);

    // Leaves out the entries before `place`.
    void SkipTo(int64_t place);

    // Adds a finding for each entry that was not judged.
    void AddRest();

    const Index& index() const { return index_; }
    int64_t count() const { return index_.entry_count(); }
    const std::string& path() const { return path_; }
    std::optional<uint32_t> crc() const { return crc_; }

   private:
    std::string Load(Directory& directory, SegmentFileKind kind);
    bool IsAheadOfNext() const;
    void Add(const Defect& defect);

    const Options options_;
    FindingList& findings_;
    const std::string path_;
    std::optional<uint32_t> crc_;
    std::string bytes_;
    const Index index_;
    int64_t next_ = 0;         // not judged yet
    Entry before_ = {-1, -1};  // the last sound one
  };

  const Options options_;
  FindingList& findings_;
  Entries<OffsetIndex> offsets_;
  Entries<TimeIndex> times_;
  int64_t max_timestamp_ms_ = kNoTimestamp;  // of the batches so far
  bool damage_skipped_ = false;
};

}  // namespace varve

#endif  // VARVE_LOG_VERIFICATION_INDEX_VERIFIER_H_
