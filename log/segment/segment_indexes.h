// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SEGMENT_SEGMENT_INDEXES_H_
#define VARVE_LOG_SEGMENT_SEGMENT_INDEXES_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/index/offset_index.h"
#include "varve/index/time_index.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/mapped_file.h"

namespace varve {

enum class IndexKind { kOffset, kTime };

// Kafka's rule: as many whole entries as segment.index.bytes holds, but at
// least one. In bytes.
int64_t IndexCapacity(int64_t segment_index_bytes, IndexKind kind);

// What indexes keep of a batch.
struct IndexedBatch {
  int64_t size = 0;  // bytes, the header included
  int64_t last_offset = 0;
  int64_t max_timestamp_ms = -1;

  static IndexedBatch Of(const RecordBatch& batch) {
    return {.size = batch.size(),
            .last_offset = batch.last_offset(),
            .max_timestamp_ms = batch.max_timestamp_ms()};
  }
};

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

  // Indexes over new, empty files that were made for them.
  static std::unique_ptr<SegmentIndexes> Adopt(
      int64_t base_offset, const LogConfig& config,
      std::unique_ptr<MappedFile> offset_file,
      std::unique_ptr<MappedFile> time_file);

  // Existing files, to be continued. Checks every entry against the one
  // before it, but none against the segment.
  //
  // Errors: NotFound or DataLoss, after which the caller makes them again;
  // ResourceExhausted, which says nothing about the files; other file errors
  // (log/system/errno_status.h).
  static absl::StatusOr<std::unique_ptr<SegmentIndexes>> OpenForAppend(
      Directory& directory, int64_t base_offset, const LogConfig& config);

  // Existing files of a sealed segment, opened read-only, or what that has
  // failed with. Errors: those of OpenForAppend.
  static absl::StatusOr<std::unique_ptr<SegmentIndexes>> OpenReadOnly(
      int64_t base_offset,
      absl::StatusOr<std::unique_ptr<MappedFile>> offset_file,
      absl::StatusOr<std::unique_ptr<MappedFile>> time_file) {
    return Open(base_offset, /*interval_bytes=*/0, std::move(offset_file),
                std::move(time_file));
  }

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
  // Whether that room is there, and neither index is full.
  bool has_room() const { return has_room_; }

  // Allocates and populates room for the entries of `log_bytes` more of
  // batches, so that the writer need not wait for it: MappedFile::PrepareAhead.
  // From any one thread beside the writer.
  //
  // Errors: file errors. The writer is not affected.
  absl::Status PrepareAhead(int64_t log_bytes);

  // Notes a batch appended at `position`: it gets an entry when more than
  // index.interval.bytes of batches came since the last one (Kafka's rule; the
  // first batch of a segment never has one). Call it once for each batch, in
  // order, after the batch is visible.
  //
  // Precondition: `has_room()`, or `Reserve` succeeded since the last `Add`.
  void Add(const IndexedBatch& batch, int64_t position);

  bool offset_index_full() const { return offsets_.is_full(); }
  bool time_index_full() const { return times_.is_full(); }

  // The largest timestamp added, -1 for none; before the first batch, that of
  // the last time entry of existing files.
  int64_t max_timestamp_ms() const {
    return max_timestamp_ms_.load(std::memory_order_relaxed);
  }

  // The last time entry, {-1, base offset} when there is none.
  TimestampOffset last_time_entry() const { return times_.last_entry(); }

  // Sets the largest timestamp of the batches, and the last offset of the first
  // batch that has it: for existing files, before anything is added.
  void SetLargestTimestamp(const TimestampOffset& largest) {
    CHECK_EQ(bytes_since_entry_, 0);
    max_timestamp_ms_.store(largest.timestamp_ms, std::memory_order_relaxed);
    max_timestamp_offset_ = largest.offset;
  }

  // Whether existing files are those that the sidecar of their segment was
  // written for, byte for byte.
  bool Match(const SegmentSidecar& sidecar) const;

  // Adds the final time entry and trims both files to their entries. They are
  // not durable before a `Sync`.
  absl::Status Seal();

  absl::Status Sync();

  // Puts the checksums of both files into the sidecar.
  // Precondition: they are sealed.
  void AddChecksums(SegmentSidecar& sidecar) const;

  // Call it after the last sync of a sealed segment.
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
  bool FitsOneMore() const;
  void AddEntries(const IndexedBatch& batch, int64_t position);

  // Constant after construction.
  const int64_t interval_bytes_;
  const std::unique_ptr<MappedFile> offset_file_;
  const std::unique_ptr<MappedFile> time_file_;

  OffsetIndex offsets_;
  TimeIndex times_;

  // Written only by the writer.
  int64_t bytes_since_entry_ = 0;
  bool has_room_ = false;
  // Memory ordering: relaxed; one writer, and readers that accept any recent
  // value.
  std::atomic<int64_t> max_timestamp_ms_ = kNoTimestamp;
  int64_t max_timestamp_offset_;  // last offset of the batch that has it
};

}  // namespace varve

#endif  // VARVE_LOG_SEGMENT_SEGMENT_INDEXES_H_
