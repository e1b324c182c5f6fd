// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SEGMENT_INDEXES_H_
#define VARVE_LOG_SEGMENT_INDEXES_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "index/offset_index.h"
#include "index/time_index.h"
#include "log/file_system.h"
#include "log/log_config.h"
#include "log/mapped_file.h"
#include "log/record_batch.h"
#include "log/segment_sidecar.h"

namespace varve {

enum class IndexKind { kOffset, kTime };

// Kafka's rule: as many whole entries as segment.index.bytes holds, one at
// least. In bytes.
int64_t IndexCapacity(int64_t segment_index_bytes, IndexKind kind);

// The offset index and the time index of one segment, in their mapped files.
// They are a cache: everything in them can be made again from the batches, and
// nothing they say is believed before the batch they point at agrees.
//
// Owns both files.
//
// Thread safety: one writer; `Lookup`, `LookupTime` and `max_timestamp_ms` from
// any thread.
class SegmentIndexes {
 public:
  // New, empty files; files of the same names are replaced.
  //
  // Errors: those of MappedFile::Create.
  static absl::StatusOr<std::unique_ptr<SegmentIndexes>> Create(
      Directory& directory, int64_t base_offset, const LogConfig& config);

  // Over new, empty files that were made for them.
  static std::unique_ptr<SegmentIndexes> Adopt(
      int64_t base_offset, const LogConfig& config,
      std::unique_ptr<MappedFile> offset_file,
      std::unique_ptr<MappedFile> time_file);

  // Existing files, to be continued. Checks every entry against the one
  // before it, but none against the segment.
  //
  // Errors: NotFound, or DataLoss: the caller makes them again. Not so after
  // ResourceExhausted, which says nothing of them.
  static absl::StatusOr<std::unique_ptr<SegmentIndexes>> OpenForAppend(
      Directory& directory, int64_t base_offset, const LogConfig& config);

  // Existing files of a sealed segment, read-only. Errors: as above.
  static absl::StatusOr<std::unique_ptr<SegmentIndexes>> OpenReadOnly(
      Directory& directory, int64_t base_offset);

  // The entry of the last batch indexed at or before `offset`; the start of
  // the segment when there is none.
  OffsetPosition Lookup(int64_t offset) const {
    return offsets_.Lookup(offset);
  }

  // The entry with the largest timestamp that is `timestamp_ms` or less, and
  // the one before it. `TimeIndex::LookupPair` says what they mean.
  TimeIndex::Pair LookupTime(int64_t timestamp_ms) const {
    return times_.LookupPair(timestamp_ms);
  }

  // Makes room on disk for one more entry in each, so that `Add` cannot fail.
  //
  // Errors: ResourceExhausted, with nothing changed.
  absl::Status Reserve();

  // Takes note of a batch appended at `position`: it gets an entry when more
  // than index.interval.bytes of batches came since the last one (Kafka's rule;
  // the first batch of a segment never has one). Call it once for each batch,
  // in order, after the batch is visible.
  //
  // Precondition: `Reserve` succeeded since the last `Add`.
  void Add(const RecordBatch& batch, int64_t position);

  bool offset_index_full() const { return offsets_.is_full(); }
  bool time_index_full() const { return times_.is_full(); }

  // The largest timestamp added, -1 for none; before anything was, that of the
  // last time entry of existing files.
  int64_t max_timestamp_ms() const {
    return max_timestamp_ms_.load(std::memory_order_relaxed);
  }

  // The last time entry, {-1, base offset} when there is none.
  TimestampOffset last_time_entry() const { return times_.last_entry(); }

  // What the batches say is the largest timestamp, and the last offset of the
  // first batch that has it: for existing files, before anything is added.
  void SetLargestTimestamp(const TimestampOffset& largest) {
    max_timestamp_ms_.store(largest.timestamp_ms, std::memory_order_relaxed);
    max_timestamp_offset_ = largest.offset;
  }

  // Whether existing files are those that the sidecar of their segment was
  // written for, byte for byte.
  bool Match(const SegmentSidecar& sidecar) const;

  // Adds the final time entry and trims both files to their entries. Not yet
  // durable: `Sync` follows.
  absl::Status Seal();

  absl::Status Sync();

  // Puts the checksums of both files into the sidecar.
  // Precondition: they are sealed.
  void AddChecksums(SegmentSidecar& sidecar) const;

  // After the last sync of a sealed segment.
  void CloseDescriptors();

 private:
  SegmentIndexes(int64_t base_offset, int64_t interval_bytes,
                 std::unique_ptr<MappedFile> offset_file,
                 std::unique_ptr<MappedFile> time_file);

  static absl::StatusOr<std::unique_ptr<SegmentIndexes>> Open(
      int64_t base_offset, int64_t interval_bytes,
      absl::StatusOr<std::unique_ptr<MappedFile>> offset_file,
      absl::StatusOr<std::unique_ptr<MappedFile>> time_file);

  absl::Status SanityCheck() const;
  absl::Status ReserveTimes(int64_t entries);
  void AddEntries(const RecordBatch& batch, int64_t position);

  // Constant after construction.
  const int64_t interval_bytes_;
  const std::unique_ptr<MappedFile> offset_file_;
  const std::unique_ptr<MappedFile> time_file_;

  OffsetIndex offsets_;
  TimeIndex times_;

  // Written by the writer alone.
  int64_t bytes_since_entry_ = 0;
  // Memory ordering: relaxed; one writer, and readers that take any value it
  // had of late.
  std::atomic<int64_t> max_timestamp_ms_ = kNoTimestamp;
  int64_t max_timestamp_offset_;  // last offset of the batch that has it
};

}  // namespace varve

#endif  // VARVE_LOG_SEGMENT_INDEXES_H_
