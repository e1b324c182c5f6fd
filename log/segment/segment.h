// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SEGMENT_SEGMENT_H_
#define VARVE_LOG_SEGMENT_SEGMENT_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "varve/index/offset_index.h"
#include "varve/index/time_index.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/read_ends.h"
#include "varve/log/segment/segment_indexes.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/mapped_file.h"

namespace varve {

// The names and the files of a segment.
struct SegmentFileNames {
  std::string log;
  std::string index;
  std::string time_index;

  // Its own names.
  static SegmentFileNames Of(int64_t base_offset);
  // Those at a stage of compaction.
  static SegmentFileNames Of(int64_t base_offset, SwapStage stage);
};
struct SegmentFiles {
  std::unique_ptr<MappedFile> log;
  std::unique_ptr<MappedFile> index;
  std::unique_ptr<MappedFile> time_index;
};

// Makes new, empty files for a segment. Errors: AlreadyExists; other file
// errors (log/system/errno_status.h); some of the files may be left then.
absl::StatusOr<SegmentFiles> CreateSegmentFiles(Directory& directory,
                                                const SegmentFileNames& names,
                                                const LogConfig& config);

// One segment of a partition: a file of record batches, mapped, with its
// indexes. Batches are written straight into the mapping and then published;
// readers look at published bytes only, in place.
//
// Owns its files and mappings. Views of its bytes hold it by shared_ptr, so
// they stay valid after it is sealed, deleted or its log is closed.
//
// Thread safety: one writer (the partition's lock) and many readers; `Sync`
// from any one thread at a time.
//
// Durable: the batches that were published before a `Sync` began, once that
// returned OK.
class Segment {
 public:
  // A new, empty segment. The directory entry is durable only after the
  // directory was synced. An empty file that has its name is replaced.
  //
  // Errors: AlreadyExists; ResourceExhausted, and it can be tried again.
  static absl::StatusOr<std::shared_ptr<Segment>> Create(
      Directory& directory, int64_t base_offset, const LogConfig& config);

  // A segment in files that were made ready for it. It needs no system call,
  // and gets its own name in the directory by `TakeName`, after the append.
  static std::shared_ptr<Segment> Adopt(int64_t base_offset, SegmentFiles files,
                                        const LogConfig& config);

  // The last segment of a log, whose batches end with the file, to be
  // continued. Indexes that are inconsistent, or do not match its sidecar, are
  // made again; without a sidecar, when their last time entry does not agree
  // with its batch. The sidecar is removed, as it has to be before the first
  // append.
  //
  // Errors: file errors.
  static absl::StatusOr<std::shared_ptr<Segment>> OpenForAppend(
      Directory& directory, int64_t base_offset, const LogConfig& config);

  // A segment to read only, at most its first `size_max` bytes. Without sound
  // index files it is read by scanning.
  static absl::StatusOr<std::shared_ptr<Segment>> OpenReadOnly(
      Directory& directory, int64_t base_offset,
      int64_t size_max = std::numeric_limits<int64_t>::max());
  // The same of one that is about to take the place of others: its files have
  // the names of SwapStage::kSwap, until `NoteName`.
  static absl::StatusOr<std::shared_ptr<Segment>> OpenSwap(Directory& directory,
                                                           int64_t base_offset);

  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  int64_t base_offset() const { return base_offset_; }
  const std::string& path() const { return path_; }

  // The published batches, whole ones only.
  //
  // Memory ordering: an acquire load of the size; the bytes below it were
  // stored before the release store in `Publish`.
  std::string_view visible_bytes() const {
    return data_->bytes(visible_size_.load(std::memory_order_acquire));
  }

  // Where to begin to look for `offset`: the index entry at or before it; the
  // start of the segment when there is none, or no index.
  OffsetPosition Lookup(int64_t offset) const;

  // Where a scan for `offset` begins: the batch of the index entry at or before
  // it, believed only when that batch is whole and ends at the entry's offset;
  // otherwise the front of the segment. With kSkip only its header is checked.
  BatchPlace ScanStart(int64_t offset, CrcCheck crc = CrcCheck::kVerify) const;

  // Where reads of it ended: hints.
  ReadEnds& read_ends() const { return read_ends_; }

  // Time entries that help to look for records of `timestamp_ms` or later:
  // TimeIndex::LookupPair. None of them is to be believed before its batch
  // agrees.
  TimeIndex::Pair LookupTime(int64_t timestamp_ms) const;

  // The largest timestamp of the segment, -1 when no record has one; nothing
  // when it is not known from its batches or a sidecar. It is never taken from
  // an index alone.
  std::optional<int64_t> largest_timestamp_ms() const;

  // Sets the largest timestamp, from the sidecar of a segment that was opened
  // to be read.
  void NoteLargestTimestamp(int64_t timestamp_ms) const {
    CHECK_GE(timestamp_ms, kNoTimestamp);
    noted_largest_ms_.store(timestamp_ms, std::memory_order_relaxed);
  }

  // The writer's part.

  // Bytes of batches that fit, which may differ from a config set since.
  int64_t capacity() const { return data_->capacity(); }

  // Makes room on disk for a batch of `size` bytes and its index entries.
  //
  // Errors: ResourceExhausted, with nothing changed.
  // Precondition: `size` fits the capacity (the roll policy ensures that).
  absl::Status Reserve(int64_t size);

  // Whether `Reserve` has nothing to do for the batch.
  bool has_room(int64_t size) const {
    return !needs_blocks(size) && indexes_->has_room();
  }

  // Whether `Reserve` would have to ask for disk blocks for the batch.
  bool needs_blocks(int64_t size) const {
    return this->size() + size > data_->allocated();
  }

  // Where the next batch is written; all zeros as far as was reserved.
  char* write_at() const { return data_->data() + size(); }

  // Bytes published; for the writer.
  int64_t size() const { return visible_size_.load(std::memory_order_relaxed); }

  // Puts the batch that was written at `write_at()` into the file, if the
  // mapping is not the file itself: MappedFile::WriteOut. Call it before
  // `Publish`.
  //
  // Errors: ResourceExhausted, with nothing changed; other file errors.
  absl::Status WriteOut(int64_t batch_size) {
    return data_->WriteOut(size() + batch_size);
  }

  // Makes the batch that was written at `write_at()` visible, and indexes it.
  // Precondition: `Reserve` has made room for it, and its offset is past the
  // last one's.
  void Publish(const IndexedBatch& batch);

  // The indexes. Precondition: the segment is open for append.
  const SegmentIndexes& indexes() const {
    DCHECK(indexes_ != nullptr);
    return *indexes_;
  }
  // The max timestamp of the first batch, -1 when there is none.
  int64_t first_batch_max_timestamp_ms() const {
    return first_batch_max_timestamp_ms_;
  }

  // Allocates and populates `bytes` after the published ones, as
  // MappedFile::PrepareAhead says, and what the indexes need for them. One
  // thread may call it beside the writer.
  absl::Status PrepareAhead(int64_t bytes, MappedFile::AfterPopulating after);
  // Whether a sync of its .log has failed: MappedFile::sync_failed.
  bool sync_failed() const { return data_->sync_failed(); }
  // Populated bytes after the published ones.
  int64_t populated_ahead() const {
    return std::max<int64_t>(data_->populated() - size(), 0);
  }

  // Gives the files of an adopted segment their names in `directory`, the
  // partition's. Does nothing when they have them. The names are durable after
  // a sync of the directory. From any thread: code that opens the segment by
  // its name calls this first.
  //
  // Errors: file errors. Another call continues where this one stopped.
  absl::Status TakeName(Directory& directory) ABSL_LOCKS_EXCLUDED(naming_);
  // The files of a segment of `OpenSwap` have got their names.
  void NoteName() { has_name_.store(true, std::memory_order_release); }
  bool has_name() const { return has_name_.load(std::memory_order_acquire); }

  // Trims the files to the published batches and makes the mappings read-only.
  // Nothing can be appended after that, even when it fails half-way: the next
  // call does the rest. Idempotent. One thread at a time calls it, once the
  // writer has left the segment.
  absl::Status Seal();

  // Makes the published batches durable.
  absl::Status Sync();

  // Makes a sealed segment durable with its indexes, and closes its files: the
  // mappings stay.
  absl::Status SyncSealed();

  // The sidecar of the segment, once it is sealed; nothing when its batches do
  // not lead to its end. Called by the syncing thread.
  //
  // Each sync sums the headers of the batches since the last one, so that an
  // append pays nothing for it: summing 21 bytes would cost it about 10 ns, of
  // some 60. A sync needs 20 ns for each batch, mostly for the memory. When the
  // segment had a sidecar before it was continued, that one is continued, so
  // that damage done meanwhile is still found.
  std::optional<SegmentSidecar> MakeSidecar();

  // Writes that sidecar, unless another object continues the file by now.
  // Returns whether it did; a sidecar is optional. Called by the syncing
  // thread.
  bool WriteSidecar(Directory& directory);

  // From now on another object continues the file, and this one writes no
  // sidecar for it. Waits for a sidecar that is being written. Called by the
  // writer, before it opens the file.
  void LeaveFile();

 private:
  Segment(int64_t base_offset, std::unique_ptr<MappedFile> data,
          std::unique_ptr<SegmentIndexes> indexes, int64_t size,
          std::string path);

  static absl::StatusOr<std::shared_ptr<Segment>> OpenNamed(
      Directory& directory, int64_t base_offset, const SegmentFileNames& names,
      int64_t size_max);
  absl::Status RebuildIndexes(Directory& directory, const LogConfig& config);
  bool LearnLargestTimestamp();

  // Constant after construction.
  const int64_t base_offset_;
  const std::unique_ptr<MappedFile> data_;
  const std::string path_;  // of the .log, once it has its name
  std::unique_ptr<SegmentIndexes> indexes_;  // null: read by scanning

  // Memory ordering: `Publish` stores with release after the batch's bytes;
  // readers load with acquire and look no further.
  std::atomic<int64_t> visible_size_;

  // Memory ordering: released after the renames.
  std::atomic<bool> has_name_ = true;
  // Held while the files are renamed.
  absl::Mutex naming_;
  int names_taken_ ABSL_GUARDED_BY(naming_) = 0;  // of the three files

  // Whether the indexes' largest timestamp is that of the batches. Constant
  // once the segment is shared.
  bool largest_is_known_ = false;
  static constexpr int64_t kNotNoted = -2;
  static_assert(kNotNoted < kNoTimestamp);
  // The largest timestamp that a sidecar has, for a segment that is read-only.
  // Memory ordering: relaxed; it does not depend on other values.
  mutable std::atomic<int64_t> noted_largest_ms_ = kNotNoted;

  // Written only by the writer.
  int64_t first_batch_max_timestamp_ms_ = kNoTimestamp;

  // Held while the sidecar is written: a sync that began before the file was
  // continued must not write an old one beside it.
  absl::Mutex sidecar_mu_;
  bool file_left_ ABSL_GUARDED_BY(sidecar_mu_) = false;

  // The sidecar of the batches that the syncs have reached; belongs to the
  // syncing thread.
  SegmentSidecar sidecar_ = SegmentSidecar::OfEmpty(base_offset_);

  // Last, so that it shares no cache line with what an append changes.
  mutable ReadEnds read_ends_{base_offset_};
};

}  // namespace varve

#endif  // VARVE_LOG_SEGMENT_SEGMENT_H_
