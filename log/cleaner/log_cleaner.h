// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_CLEANER_LOG_CLEANER_H_
#define VARVE_LOG_CLEANER_LOG_CLEANER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/cleaner/cleaned_segments.h"
#include "varve/log/cleaner/cleaner_pace.h"
#include "varve/log/cleaner/segment_replacing.h"
#include "varve/log/compaction/batch_cleaner.h"
#include "varve/log/compaction/cleanable_range.h"
#include "varve/log/compaction/compaction_segment.h"
#include "varve/log/compaction/compaction_stats.h"
#include "varve/log/compaction/key_hash.h"
#include "varve/log/compaction/last_batches.h"
#include "varve/log/compaction/offset_map.h"
#include "varve/log/compaction/segment_groups.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/producer_state/aborted_transactions.h"
#include "varve/log/segment/segment.h"
#include "varve/log/segment/segment_list.h"
#include "varve/log/swap/segment_swap.h"
#include "varve/log/system/file_system.h"

namespace varve {

// What one compaction of a log has done.
//
// Thread safety: a value.
struct CleaningResult {
  // The next checkpoint: the log is clean below it.
  int64_t first_dirty = 0;
  CompactionStats stats = {};
  int64_t segments_replaced = 0;
  int64_t segments_written = 0;  // in their place
  int64_t bytes_replaced = 0;
  int64_t bytes_written = 0;
};

// How far a compaction has come. It reads what is dirty twice.
struct CleaningProgress {
  int64_t bytes_read = 0;
  int64_t bytes_to_read = 0;  // at most, in all
};

// One compaction of one log, on its files: finds the last record of each key in
// the dirty part, and writes the segments up to there again without what
// log/compaction says may go; each group of them takes the place of the old
// ones as soon as it is written. Kafka's Cleaner.clean.
//
// A log that is damaged in what would be cleaned stays as it is: what is
// written again looks sound.
//
// Borrows all that it is given, which must outlive it.
//
// Thread safety: externally synchronized; the log may be appended to, read and
// trimmed meanwhile.
class LogCleaner {
 public:
  struct Log {
    FileSystem* files = nullptr;
    Directory* directory = nullptr;
    SegmentList* segments = nullptr;
    AbortedTransactions* aborted = nullptr;
    const Codecs* codecs = nullptr;  // null: none
    LogConfig config = {};
    // What FindCleanableRange has found, of these segments.
    CleanableRange range = {};
    absl::Span<const CompactionSegment> facts = {};
    // As of a moment after the facts.
    LastBatches last_batches = {};
    int64_t now_ms = 0;
  };
  struct Options {
    int64_t map_memory_bytes = OffsetMap::kMemoryBytes;
    HashSecret secret = {};
    // Called after each piece of about a MiB that was read; null: not called.
    std::function<void(const CleaningProgress&)> progress = nullptr;
  };
  // Precondition: `log.range` is not empty.
  LogCleaner(const Log& log, const Options& options, CleanerPace* pace);

  // Call it once.
  //
  // Errors, after which some groups may have been replaced, and the log is
  // right, but the checkpoint must stay as it was: DataLoss for damage, with
  // the path; Unimplemented when a codec is missing; ResourceExhausted when
  // disk, memory or descriptors run out; Cancelled when it was stopped; those
  // of `replace`; other file errors.
  absl::StatusOr<CleaningResult> Run(SegmentReplacing& replacing);

  // Says what `Run` would do, and writes nothing: it reads as much, and counts.
  // Every group that is to be written is taken for one segment. In place of
  // `Run`; errors: the same.
  absl::StatusOr<CleaningResult> Measure();

 private:
  using CleanGroupWith =
      absl::FunctionRef<absl::Status(const SegmentGroup&, BatchCleaner&)>;

  absl::StatusOr<CleaningResult> CleanGroups(CleanGroupWith clean);
  absl::StatusOr<int64_t> MapKeys(OffsetMap& map);
  absl::Status CleanGroup(const SegmentGroup& group, BatchCleaner& cleaner,
                          SegmentReplacing& replacing);
  absl::Status MeasureGroup(const SegmentGroup& group, BatchCleaner& cleaner);
  absl::Status CleanSegment(size_t i, const Segment& segment,
                            BatchCleaner& cleaner, CleanedBatchSink& sink);
  void NoteGroup(const SegmentGroup& group, int64_t segments_written,
                 int64_t bytes_written);
  int64_t BytesOf(const SegmentGroup& group) const;
  absl::Status Spend(int64_t bytes_read);
  std::unique_ptr<SegmentSwap> SwapOf(const SegmentGroup& group,
                                      const CleanedSegments& sink) const;
  absl::StatusOr<std::shared_ptr<Segment>> Open(size_t i) const;
  absl::StatusOr<std::vector<AbortedTransaction>> AbortedIn(size_t i) const;
  int64_t EndOf(size_t i) const;

  const Log log_;
  const Options options_;
  CleanerPace* const pace_;
  CleaningResult result_;
  CleaningProgress progress_;
};

}  // namespace varve

#endif  // VARVE_LOG_CLEANER_LOG_CLEANER_H_
