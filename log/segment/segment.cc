// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/segment.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "varve/index/offset_index.h"
#include "varve/index/time_index.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/segment_indexes.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/mapped_file.h"

namespace varve {
namespace {

constexpr BatchScanner::Options kHeadersOnly = {
    .crc = CrcCheck::kSkip, .continuity = Continuity::kGapsAllowed};

struct ReadyName {
  std::string_view ready;
  SegmentFileKind kind;
};

// The indexes come first, because without a .log they mean nothing.
constexpr std::array<ReadyName, 3> kNamingOrder = {
    ReadyName{kReadyIndexName, SegmentFileKind::kIndex},
    ReadyName{kReadyTimeIndexName, SegmentFileKind::kTimeIndex},
    ReadyName{kReadyLogName, SegmentFileKind::kLog}};
static_assert(kNamingOrder.back().kind == SegmentFileKind::kLog);

// An empty file of the name was left by an earlier try that failed and could
// not remove it.
absl::StatusOr<std::unique_ptr<MappedFile>> CreateLog(Directory& directory,
                                                      const std::string& name,
                                                      int64_t capacity) {
  auto data = MappedFile::Create(directory, name, capacity);
  if (!absl::IsAlreadyExists(data.status())) return data;
  absl::StatusOr<std::unique_ptr<File>> file =
      directory.OpenFile(name, OpenMode::kRead);
  if (!file.ok()) return file.status();
  const absl::StatusOr<int64_t> size = (*file)->Size();
  if (!size.ok()) return size.status();
  if (*size > 0) return data;
  absl::Status removed = directory.RemoveFile(name);
  if (!removed.ok()) return removed;
  return MappedFile::Create(directory, name, capacity);
}

}  // namespace

SegmentFileNames SegmentFileNames::Of(int64_t base_offset) {
  return {
      .log = SegmentFileName(base_offset, SegmentFileKind::kLog),
      .index = SegmentFileName(base_offset, SegmentFileKind::kIndex),
      .time_index = SegmentFileName(base_offset, SegmentFileKind::kTimeIndex)};
}

SegmentFileNames SegmentFileNames::Of(int64_t base_offset, SwapStage stage) {
  const auto name = [&](SegmentFileKind kind) {
    return SwapFileName({.file = {base_offset, kind}, .stage = stage});
  };
  return {.log = name(SegmentFileKind::kLog),
          .index = name(SegmentFileKind::kIndex),
          .time_index = name(SegmentFileKind::kTimeIndex)};
}

absl::StatusOr<SegmentFiles> CreateSegmentFiles(Directory& directory,
                                                const SegmentFileNames& names,
                                                const LogConfig& config) {
  auto log = MappedFile::Create(directory, names.log, config.segment_bytes);
  if (!log.ok()) return log.status();
  auto index = MappedFile::Create(
      directory, names.index,
      IndexCapacity(config.segment_index_bytes, IndexKind::kOffset));
  if (!index.ok()) return index.status();
  auto time_index = MappedFile::Create(
      directory, names.time_index,
      IndexCapacity(config.segment_index_bytes, IndexKind::kTime));
  if (!time_index.ok()) return time_index.status();
  return SegmentFiles{.log = *std::move(log),
                      .index = *std::move(index),
                      .time_index = *std::move(time_index)};
}

Segment::Segment(int64_t base_offset, std::unique_ptr<MappedFile> data,
                 std::unique_ptr<SegmentIndexes> indexes, int64_t size,
                 std::string path)
    : base_offset_(base_offset),
      data_(std::move(data)),
      path_(std::move(path)),
      indexes_(std::move(indexes)),
      visible_size_(size) {
  CHECK_GE(size, 0);
  int64_t first = 0;
  if (RecordBatch::Check(data_->bytes(size), CrcCheck::kSkip, size, &first) ==
      BatchDefect::kNone) {
    first_batch_max_timestamp_ms_ =
        RecordBatch(data_->bytes(first)).max_timestamp_ms();
  }
}

absl::StatusOr<std::shared_ptr<Segment>> Segment::Create(
    Directory& directory, int64_t base_offset, const LogConfig& config) {
  const std::string name = SegmentFileName(base_offset, SegmentFileKind::kLog);
  auto data = CreateLog(directory, name, config.segment_bytes);
  if (!data.ok()) return data.status();
  auto indexes = SegmentIndexes::Create(directory, base_offset, config);
  if (!indexes.ok()) {
    // The caller needs the error of the indexes, not that of the removal.
    directory.RemoveFile(name).IgnoreError();
    return indexes.status();
  }
  std::string path = (*data)->path();
  std::shared_ptr<Segment> segment(new Segment(
      base_offset, *std::move(data), *std::move(indexes), 0, std::move(path)));
  segment->largest_is_known_ = true;
  return segment;
}

std::shared_ptr<Segment> Segment::Adopt(int64_t base_offset, SegmentFiles files,
                                        const LogConfig& config) {
  CHECK_EQ(files.log->opened_size(), 0);
  const std::string_view ready_path = files.log->path();
  std::string path =
      absl::StrCat(ready_path.substr(0, ready_path.rfind('/') + 1),
                   SegmentFileName(base_offset, SegmentFileKind::kLog));
  std::shared_ptr<Segment> segment(new Segment(
      base_offset, std::move(files.log),
      SegmentIndexes::Adopt(base_offset, config, std::move(files.index),
                            std::move(files.time_index)),
      0, std::move(path)));
  segment->has_name_.store(false, std::memory_order_relaxed);
  segment->largest_is_known_ = true;
  return segment;
}

absl::Status Segment::TakeName(Directory& directory) {
  if (has_name()) return absl::OkStatus();
  absl::MutexLock lock(&naming_);
  for (; names_taken_ < std::ssize(kNamingOrder); ++names_taken_) {
    const ReadyName& name = kNamingOrder.at(static_cast<size_t>(names_taken_));
    absl::Status status =
        directory.Rename(name.ready, SegmentFileName(base_offset_, name.kind));
    if (!status.ok()) return status;
  }
  has_name_.store(true, std::memory_order_release);
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<Segment>> Segment::OpenForAppend(
    Directory& directory, int64_t base_offset, const LogConfig& config) {
  auto data = MappedFile::OpenForAppend(
      directory, SegmentFileName(base_offset, SegmentFileKind::kLog),
      config.segment_bytes);
  if (!data.ok()) return data.status();
  const int64_t size = (*data)->opened_size();
  // A sidecar that is damaged, or of another length, counts as none.
  const std::optional<SegmentSidecar> sidecar =
      ReadSidecarOf(directory, base_offset, size);
  auto indexes = SegmentIndexes::OpenForAppend(directory, base_offset, config);
  if (absl::IsResourceExhausted(indexes.status())) return indexes.status();
  if (absl::Status status = RemoveSidecar(directory, base_offset);
      !status.ok()) {
    return status;
  }
  bool sound =
      indexes.ok() && (!sidecar.has_value() || (*indexes)->Match(*sidecar));
  std::string path = (*data)->path();
  auto segment = std::shared_ptr<Segment>(new Segment(
      base_offset, *std::move(data), sound ? *std::move(indexes) : nullptr,
      size, std::move(path)));
  if (sound && !sidecar.has_value()) sound = segment->LearnLargestTimestamp();
  if (!sound) {
    absl::Status status = segment->RebuildIndexes(directory, config);
    if (!status.ok()) return status;
  }
  segment->largest_is_known_ = true;
  if (sidecar.has_value()) {
    segment->sidecar_ = *sidecar;
    segment->sidecar_.cleaned_to.reset();  // what follows is not known yet
  }
  return segment;
}

absl::StatusOr<std::shared_ptr<Segment>> Segment::OpenReadOnly(
    Directory& directory, int64_t base_offset, int64_t size_max) {
  return OpenNamed(directory, base_offset, SegmentFileNames::Of(base_offset),
                   size_max);
}

absl::StatusOr<std::shared_ptr<Segment>> Segment::OpenSwap(
    Directory& directory, int64_t base_offset) {
  absl::StatusOr<std::shared_ptr<Segment>> segment =
      OpenNamed(directory, base_offset,
                SegmentFileNames::Of(base_offset, SwapStage::kSwap),
                std::numeric_limits<int64_t>::max());
  if (segment.ok())
    (*segment)->has_name_.store(false, std::memory_order_relaxed);
  return segment;
}

absl::StatusOr<std::shared_ptr<Segment>> Segment::OpenNamed(
    Directory& directory, int64_t base_offset, const SegmentFileNames& names,
    int64_t size_max) {
  auto data = MappedFile::OpenReadOnly(directory, names.log);
  if (!data.ok()) return data.status();
  const int64_t size = std::min((*data)->opened_size(), size_max);
  auto indexes = SegmentIndexes::OpenReadOnly(
      base_offset, MappedFile::OpenReadOnly(directory, names.index),
      MappedFile::OpenReadOnly(directory, names.time_index));
  if (absl::IsResourceExhausted(indexes.status())) return indexes.status();
  return std::shared_ptr<Segment>(new Segment(
      base_offset, *std::move(data),
      indexes.ok() ? *std::move(indexes) : nullptr, size,
      directory.PathOf(SegmentFileName(base_offset, SegmentFileKind::kLog))));
}

absl::Status Segment::RebuildIndexes(Directory& directory,
                                     const LogConfig& config) {
  auto indexes = SegmentIndexes::Create(directory, base_offset_, config);
  if (!indexes.ok()) return indexes.status();
  BatchScanner scanner(visible_bytes(),
                       {.position = 0, .base_offset = base_offset_},
                       {.continuity = Continuity::kGapsAllowed});
  // Damage that recovery kept has no entry; the batches after it do.
  for (std::optional<BatchPlace> place = BatchPlace{}; place.has_value();
       place = scanner.FindBatchBehind()) {
    if (place->position > 0) scanner.Resume(*place);
    while (const RecordBatch* batch = scanner.Peek()) {
      absl::Status status = (*indexes)->Reserve();
      if (!status.ok()) return status;
      (*indexes)->Add(IndexedBatch::Of(*batch), scanner.position());
      scanner.Advance();
    }
    if (scanner.stop() == ScanStop::kEnd) break;
  }
  indexes_ = *std::move(indexes);
  return absl::OkStatus();
}

// Takes the largest timestamp from the batches: those after the last time
// entry, which covers those before it. Returns whether that entry's batch
// agrees.
bool Segment::LearnLargestTimestamp() {
  const TimestampOffset entry = indexes_->last_time_entry();
  TimestampOffset largest = entry;
  bool agrees = entry.timestamp_ms < 0;
  BatchScanner scanner(visible_bytes(), ScanStart(entry.offset), kHeadersOnly);
  while (true) {
    while (const RecordBatch* batch = scanner.Peek()) {
      const TimestampOffset own = {.timestamp_ms = batch->max_timestamp_ms(),
                                   .offset = batch->last_offset()};
      agrees = agrees || own == entry;
      if (own.timestamp_ms > largest.timestamp_ms) largest = own;
      scanner.Advance();
    }
    const std::optional<BatchPlace> behind = scanner.FindBatchBehind();
    if (!behind.has_value()) break;
    scanner.Resume(*behind);
  }
  indexes_->SetLargestTimestamp(largest);
  return agrees;
}

OffsetPosition Segment::Lookup(int64_t offset) const {
  if (indexes_ == nullptr) return {.offset = base_offset_, .position = 0};
  return indexes_->Lookup(offset);
}

BatchPlace Segment::ScanStart(int64_t offset, CrcCheck crc) const {
  const std::string_view bytes = visible_bytes();
  const BatchPlace front = {.position = 0, .base_offset = base_offset_};
  const OffsetPosition entry = Lookup(offset);
  if (entry.position <= 0 ||
      entry.position >= static_cast<int64_t>(bytes.size()))
    return front;
  const std::string_view rest =
      bytes.substr(static_cast<size_t>(entry.position));
  int64_t size = 0;
  if (RecordBatch::Check(rest, crc, static_cast<int64_t>(rest.size()), &size) !=
      BatchDefect::kNone) {
    return front;
  }
  const RecordBatch batch(rest.substr(0, static_cast<size_t>(size)));
  if (batch.last_offset() != entry.offset) return front;
  return {.position = entry.position, .base_offset = batch.base_offset()};
}

TimeIndex::Pair Segment::LookupTime(int64_t timestamp_ms) const {
  if (indexes_ != nullptr) return indexes_->LookupTime(timestamp_ms);
  const TimestampOffset none = {.timestamp_ms = -1, .offset = base_offset_};
  return {.found = none, .before = none};
}

std::optional<int64_t> Segment::largest_timestamp_ms() const {
  if (largest_is_known_) return indexes_->max_timestamp_ms();
  const int64_t noted = noted_largest_ms_.load(std::memory_order_relaxed);
  if (noted == kNotNoted) return std::nullopt;
  return noted;
}

absl::Status Segment::Reserve(int64_t size) {
  if (absl::Status status = data_->EnsureAllocated(this->size() + size);
      !status.ok()) {
    return status;
  }
  return indexes_->Reserve();
}

absl::Status Segment::PrepareAhead(int64_t bytes,
                                   MappedFile::AfterPopulating after) {
  absl::Status status = data_->PrepareAhead(size(), size() + bytes, after);
  absl::Status indexes = indexes_->PrepareAhead(bytes);
  return status.ok() ? indexes : status;
}

void Segment::Publish(const IndexedBatch& batch) {
  const int64_t position = size();
  DCHECK_GT(batch.size, 0);
  DCHECK_LE(position + batch.size, data_->allocated());
  if (position == 0) first_batch_max_timestamp_ms_ = batch.max_timestamp_ms;
  DCHECK_GE(batch.last_offset, base_offset_);
  visible_size_.store(position + batch.size, std::memory_order_release);
  // This follows the store, so that no index entry points at an invisible
  // batch.
  indexes_->Add(batch, position);
}

absl::Status Segment::Seal() {
  absl::Status data = data_->Seal(size());
  absl::Status indexes =
      indexes_ == nullptr ? absl::OkStatus() : indexes_->Seal();
  return data.ok() ? indexes : data;
}

absl::Status Segment::Sync() {
  CHECK(has_name()) << path_;  // or a crash would not find what is durable
  // Before the sync, which lets go of the pages that this looks at.
  const std::string_view batches = visible_bytes();
  sidecar_.AddBatchesOf(batches);
  return data_->Sync(std::ssize(batches));
}

std::optional<SegmentSidecar> Segment::MakeSidecar() {
  sidecar_.AddBatchesOf(visible_bytes());
  CHECK_EQ(sidecar_.base_offset, base_offset_);
  if (sidecar_.size_bytes != size()) return std::nullopt;
  SegmentSidecar sidecar = sidecar_;
  if (indexes_ != nullptr) indexes_->AddChecksums(sidecar);
  return sidecar;
}

bool Segment::WriteSidecar(Directory& directory) {
  const std::optional<SegmentSidecar> sidecar = MakeSidecar();
  if (!sidecar.has_value()) return false;
  absl::MutexLock lock(&sidecar_mu_);
  return !file_left_ && varve::WriteSidecar(directory, *sidecar).ok();
}

void Segment::LeaveFile() {
  absl::MutexLock lock(&sidecar_mu_);
  file_left_ = true;
}

absl::Status Segment::SyncSealed() {
  CHECK(has_name()) << path_;
  CHECK_EQ(data_->allocated(), size()) << path_;
  sidecar_.AddBatchesOf(visible_bytes());  // before its pages are let go
  if (absl::Status status = data_->Sync(size()); !status.ok()) return status;
  if (indexes_ != nullptr) {
    if (absl::Status status = indexes_->Sync(); !status.ok()) return status;
    indexes_->CloseDescriptors();
  }
  data_->CloseDescriptor();
  return absl::OkStatus();
}

}  // namespace varve
