// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/segment_indexes.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/crc/crc32c.h"
#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "varve/index/offset_index.h"
#include "varve/index/time_index.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/mapped_file.h"

namespace varve {
namespace {

absl::StatusOr<std::unique_ptr<MappedFile>> CreateAnew(Directory& directory,
                                                       const std::string& name,
                                                       int64_t capacity) {
  absl::Status removed = directory.RemoveFileIfThere(name);
  if (!removed.ok()) return removed;
  return MappedFile::Create(directory, name, capacity);
}

absl::Span<char> Bytes(const MappedFile& file) {
  return {file.data(),
          static_cast<size_t>(file.data() == nullptr ? 0 : file.capacity())};
}

}  // namespace

// At least one entry's bytes are mapped, since a mapping cannot be empty.
int64_t IndexCapacity(int64_t segment_index_bytes, IndexKind kind) {
  const int64_t entry_size = kind == IndexKind::kOffset
                                 ? int64_t{OffsetIndex::kEntrySize}
                                 : int64_t{TimeIndex::kEntrySize};
  return std::max(segment_index_bytes / entry_size * entry_size, entry_size);
}

SegmentIndexes::SegmentIndexes(int64_t base_offset, int64_t interval_bytes,
                               std::unique_ptr<MappedFile> offset_file,
                               std::unique_ptr<MappedFile> time_file)
    : interval_bytes_(interval_bytes),
      offset_file_(std::move(offset_file)),
      time_file_(std::move(time_file)),
      offsets_(base_offset, Bytes(*offset_file_),
               offset_file_->opened_size() / OffsetIndex::kEntrySize),
      times_(base_offset, Bytes(*time_file_),
             time_file_->opened_size() / TimeIndex::kEntrySize),
      max_timestamp_offset_(base_offset) {
  if (times_.entry_count() > 0) {
    max_timestamp_ms_.store(times_.last_entry().timestamp_ms,
                            std::memory_order_relaxed);
    max_timestamp_offset_ = times_.last_entry().offset;
  }
}

absl::StatusOr<std::unique_ptr<SegmentIndexes>> SegmentIndexes::Create(
    Directory& directory, int64_t base_offset, const LogConfig& config) {
  const std::string offset_name =
      SegmentFileName(base_offset, SegmentFileKind::kIndex);
  auto offset_file =
      CreateAnew(directory, offset_name,
                 IndexCapacity(config.segment_index_bytes, IndexKind::kOffset));
  if (!offset_file.ok()) return offset_file.status();
  auto time_file = CreateAnew(
      directory, SegmentFileName(base_offset, SegmentFileKind::kTimeIndex),
      IndexCapacity(config.segment_index_bytes, IndexKind::kTime));
  if (!time_file.ok()) {
    // The caller needs the error of the creation, not that of the removal.
    directory.RemoveFile(offset_name).IgnoreError();
    return time_file.status();
  }
  return std::unique_ptr<SegmentIndexes>(
      new SegmentIndexes(base_offset, config.index_interval_bytes,
                         *std::move(offset_file), *std::move(time_file)));
}

std::unique_ptr<SegmentIndexes> SegmentIndexes::Adopt(
    int64_t base_offset, const LogConfig& config,
    std::unique_ptr<MappedFile> offset_file,
    std::unique_ptr<MappedFile> time_file) {
  CHECK_EQ(offset_file->opened_size(), 0);
  CHECK_EQ(time_file->opened_size(), 0);
  return std::unique_ptr<SegmentIndexes>(
      new SegmentIndexes(base_offset, config.index_interval_bytes,
                         std::move(offset_file), std::move(time_file)));
}

absl::StatusOr<std::unique_ptr<SegmentIndexes>> SegmentIndexes::OpenForAppend(
    Directory& directory, int64_t base_offset, const LogConfig& config) {
  return Open(
      base_offset, config.index_interval_bytes,
      MappedFile::OpenForAppend(
          directory, SegmentFileName(base_offset, SegmentFileKind::kIndex),
          IndexCapacity(config.segment_index_bytes, IndexKind::kOffset)),
      MappedFile::OpenForAppend(
          directory, SegmentFileName(base_offset, SegmentFileKind::kTimeIndex),
          IndexCapacity(config.segment_index_bytes, IndexKind::kTime)));
}

absl::StatusOr<std::unique_ptr<SegmentIndexes>> SegmentIndexes::Open(
    int64_t base_offset, int64_t interval_bytes,
    absl::StatusOr<std::unique_ptr<MappedFile>> offset_file,
    absl::StatusOr<std::unique_ptr<MappedFile>> time_file) {
  if (!offset_file.ok()) return offset_file.status();
  if (!time_file.ok()) return time_file.status();
  for (const auto& [file, entry_size] :
       {std::pair(offset_file->get(), OffsetIndex::kEntrySize),
        std::pair(time_file->get(), TimeIndex::kEntrySize)}) {
    if (file->opened_size() % entry_size != 0) {
      return absl::DataLossError(
          absl::StrCat(file->path(), ": ", file->opened_size(),
                       " bytes are no whole number of entries"));
    }
  }
  std::unique_ptr<SegmentIndexes> indexes(
      new SegmentIndexes(base_offset, interval_bytes, *std::move(offset_file),
                         *std::move(time_file)));
  if (absl::Status status = indexes->SanityCheck(); !status.ok()) return status;
  return indexes;
}

absl::Status SegmentIndexes::SanityCheck() const {
  if (absl::Status status = offsets_.SanityCheck(); !status.ok()) {
    return absl::DataLossError(
        absl::StrCat(offset_file_->path(), ": ", status.message()));
  }
  if (absl::Status status = times_.SanityCheck(); !status.ok()) {
    return absl::DataLossError(
        absl::StrCat(time_file_->path(), ": ", status.message()));
  }
  return absl::OkStatus();
}

absl::Status SegmentIndexes::Reserve() {
  if (!offsets_.is_full()) {
    absl::Status status = offset_file_->EnsureAllocated(
        offsets_.size_bytes() + OffsetIndex::kEntrySize);
    if (!status.ok()) return status;
  }
  // Two: the final entry of the seal needs its place as well.
  absl::Status status = ReserveTimes(2);
  has_room_ = FitsOneMore();
  return status;
}

bool SegmentIndexes::FitsOneMore() const {
  return !offsets_.is_full() && !times_.is_full() &&
         offsets_.size_bytes() + OffsetIndex::kEntrySize <=
             offset_file_->allocated() &&
         std::min(times_.size_bytes() + 2 * TimeIndex::kEntrySize,
                  time_file_->capacity()) <= time_file_->allocated();
}

absl::Status SegmentIndexes::ReserveTimes(int64_t entries) {
  const int64_t end = times_.size_bytes() + entries * TimeIndex::kEntrySize;
  return time_file_->EnsureAllocated(std::min(end, time_file_->capacity()));
}

absl::Status SegmentIndexes::PrepareAhead(int64_t log_bytes) {
  constexpr auto kAfter = MappedFile::AfterPopulating::kLeaveDirty;
  // A batch has one entry at most, whatever the interval is.
  const int64_t entry_bytes =
      std::max<int64_t>(interval_bytes_, batch_layout::kRecords);
  const int64_t entries = log_bytes / entry_bytes + 2;
  const int64_t offsets_end = offsets_.size_bytes();
  absl::Status status = offset_file_->PrepareAhead(
      offsets_end, offsets_end + entries * OffsetIndex::kEntrySize, kAfter);
  if (!status.ok()) return status;
  const int64_t times_end = times_.size_bytes();
  return time_file_->PrepareAhead(
      times_end, times_end + entries * TimeIndex::kEntrySize, kAfter);
}

void SegmentIndexes::Add(const IndexedBatch& batch, int64_t position) {
  if (batch.max_timestamp_ms > max_timestamp_ms()) {
    max_timestamp_ms_.store(batch.max_timestamp_ms, std::memory_order_relaxed);
    max_timestamp_offset_ = batch.last_offset;
  }
  if (bytes_since_entry_ > interval_bytes_) {
    AddEntries(batch, position);
    bytes_since_entry_ = 0;
  }
  bytes_since_entry_ += batch.size;
}

void SegmentIndexes::AddEntries(const IndexedBatch& batch, int64_t position) {
  // An index that was damaged on disk, yet looked sound when it was opened, may
  // refuse what the batches say. It is only a cache: the entry is left out, and
  // reads scan a little more.
  if (!offsets_.is_full()) {
    DCHECK_LE(offsets_.size_bytes() + OffsetIndex::kEntrySize,
              offset_file_->allocated());
    offsets_.Append(batch.last_offset, position).IgnoreError();
  }
  if (!times_.is_full() && max_timestamp_ms() >= 0) {
    DCHECK_LE(times_.size_bytes() + 2 * TimeIndex::kEntrySize,
              time_file_->allocated());
    times_
        .MaybeAppend(max_timestamp_ms(), max_timestamp_offset_,
                     TimeIndex::Slot::kOrdinary)
        .IgnoreError();
  }
  // If this fails, the entries are written with the next one, or by the seal.
  offset_file_->WriteOut(offsets_.size_bytes()).IgnoreError();
  time_file_->WriteOut(times_.size_bytes()).IgnoreError();
  has_room_ = FitsOneMore();
}

absl::Status SegmentIndexes::Seal() {
  // Nothing may have been appended since the open, and so no place reserved for
  // the final entry. As in AddEntries: a refusal leaves it out, no more.
  if (max_timestamp_ms() > times_.last_entry().timestamp_ms &&
      ReserveTimes(1).ok()) {
    times_
        .MaybeAppend(max_timestamp_ms(), max_timestamp_offset_,
                     TimeIndex::Slot::kFinal)
        .IgnoreError();
  }
  absl::Status offsets = offset_file_->Seal(offsets_.size_bytes());
  absl::Status times = time_file_->Seal(times_.size_bytes());
  return offsets.ok() ? times : offsets;
}

absl::Status SegmentIndexes::Sync() {
  absl::Status offsets = offset_file_->Sync(offsets_.size_bytes());
  return offsets.ok() ? time_file_->Sync(times_.size_bytes()) : offsets;
}

bool SegmentIndexes::Match(const SegmentSidecar& sidecar) const {
  SegmentSidecar own = sidecar;
  AddChecksums(own);
  return own == sidecar &&
         times_.last_entry().timestamp_ms == sidecar.max_timestamp_ms;
}

void SegmentIndexes::AddChecksums(SegmentSidecar& sidecar) const {
  sidecar.index_crc = static_cast<uint32_t>(
      absl::ComputeCrc32c(offset_file_->bytes(offsets_.size_bytes())));
  sidecar.time_index_crc = static_cast<uint32_t>(
      absl::ComputeCrc32c(time_file_->bytes(times_.size_bytes())));
}

void SegmentIndexes::CloseDescriptors() {
  offset_file_->CloseDescriptor();
  time_file_->CloseDescriptor();
}

}  // namespace varve
