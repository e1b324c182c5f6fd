// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_CLEANER_CLEANED_SEGMENTS_H_
#define VARVE_LOG_CLEANER_CLEANED_SEGMENTS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/cleaner/cleaned_segment.h"
#include "varve/log/cleaner/cleaner_pace.h"
#include "varve/log/compaction/batch_cleaner.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/system/file_system.h"

namespace varve {

// What compaction makes of a group of segments: one segment. It may be larger
// than the group was, and than segment.bytes, as in Kafka: a delete horizon
// makes timestamps longer, and a codec may compress worse than the producer's
// did. Only where it comes to twice as much, to 2^31-1 bytes, or to more than
// an index holds, it becomes two (KAFKA-20036).
//
// A segment of which nothing goes is not written again: as long as a group of
// one comes out as it went in, nothing is written at all.
//
// It writes at the pace that it is given, also where one call has to write all
// that came before its batch.
//
// Borrows the directory, the bytes of the group and the pace, which must
// outlive it.
//
// Thread safety: externally synchronized.
class CleanedSegments final : public CleanedBatchSink {
 public:
  struct Group {
    int64_t base_offset = 0;  // of its first segment
    int64_t end = 0;          // where the segment after it begins
    // Bytes of all its .logs.
    int64_t size_bytes = 0;
    // The bytes of its only segment; nothing when it has several.
    std::optional<std::string_view> only_segment = std::nullopt;
  };

  CleanedSegments(Directory* directory, const LogConfig& config,
                  const Group& group, CleanerPace* pace);

  absl::Status Append(
      const RecordBatch& batch,
      const std::optional<AbortedTransaction>& index_entry) override;

  // Ends it; the files are synced on return. Call it once.
  // Errors: file errors; Cancelled by the pace; `Discard` removes the files.
  absl::Status Finish(absl::Time modified);

  // Whether the group came out as it went in: there are no files.
  bool is_unchanged() const { return written_.empty(); }
  // The base offsets of the segments that were begun.
  std::vector<int64_t> base_offsets() const;
  int64_t size_bytes() const;

 private:
  absl::Status WriteUnchanged();
  absl::Status Spend();
  absl::Status Write(const RecordBatch& batch,
                     const std::optional<AbortedTransaction>& index_entry);
  absl::Status Begin(int64_t base_offset, int64_t first_batch_bytes);

  Directory* const directory_;
  const LogConfig config_;
  const Group group_;
  CleanerPace* const pace_;
  // How much of the only segment has come back as it is; nothing once something
  // has not.
  std::optional<int64_t> unchanged_bytes_;
  std::vector<AbortedTransaction> unchanged_entries_;  // of those bytes
  std::vector<std::unique_ptr<CleanedSegment>> written_;
  int64_t unspent_bytes_ = 0;  // written, and not yet counted by the pace
};

}  // namespace varve

#endif  // VARVE_LOG_CLEANER_CLEANED_SEGMENTS_H_
