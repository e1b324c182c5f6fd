// SPDX-License-Identifier: Apache-2.0

#include "varve/log/recovery/segment_rebuild.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/recovery/partition_recovery_report.h"
#include "varve/log/segment/segment_indexes.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/system/file_system.h"

namespace varve {

SegmentRebuild::SegmentRebuild(Directory& directory, const LogConfig& config,
                               int64_t base_offset, std::string log_path,
                               PartitionRecoveryReport& report)
    : directory_(directory),
      config_(config),
      base_offset_(base_offset),
      log_path_(std::move(log_path)),
      report_(report),
      sidecar_(SegmentSidecar::OfEmpty(base_offset)) {
  ReadOldSidecar();
  CreateIndexes();
}

void SegmentRebuild::ReadOldSidecar() {
  absl::StatusOr<SegmentSidecar> old = ReadSidecar(directory_, base_offset_);
  if (old.ok()) {
    old_sidecar_ = *old;
  } else if (!absl::IsNotFound(old.status())) {
    report_.notes.push_back(
        absl::StrCat("a sidecar was made again: ", old.status().message()));
  }
}

// Without room on disk for indexes the segment is read by scanning, and the
// first append makes them.
void SegmentRebuild::CreateIndexes() {
  auto indexes = SegmentIndexes::Create(directory_, base_offset_, config_);
  if (indexes.ok()) {
    indexes_ = *std::move(indexes);
  } else {
    DropIndexes(indexes.status());
  }
}

void SegmentRebuild::DropIndexes(const absl::Status& reason) {
  report_.notes.push_back(
      absl::StrCat(log_path_, ": no index for now: ", reason.message()));
  indexes_ = nullptr;
  for (SegmentFileKind kind :
       {SegmentFileKind::kIndex, SegmentFileKind::kTimeIndex}) {
    // An index that cannot be removed is checked on use, like every index.
    directory_.RemoveFile(SegmentFileName(base_offset_, kind)).IgnoreError();
  }
}

void SegmentRebuild::Add(const RecordBatch& batch, int64_t position) {
  if (indexes_ != nullptr) {
    absl::Status status = indexes_->Reserve();
    if (!status.ok()) DropIndexes(status);
  }
  if (indexes_ != nullptr) indexes_->Add(IndexedBatch::Of(batch), position);
  AddToSidecar(batch);
}

// Keeps what the old sidecar says of the batches it covers: recomputing it
// would accept any damage done since.
void SegmentRebuild::AddToSidecar(const RecordBatch& batch) {
  sidecar_.Add(batch);
  if (!old_sidecar_.has_value() ||
      sidecar_.size_bytes != old_sidecar_->size_bytes ||
      sidecar_.headers_crc == old_sidecar_->headers_crc) {
    return;
  }
  report_.notes.push_back(absl::StrCat(
      log_path_, ": the headers of the batches are not those that ",
      SidecarFileName(base_offset_), " has a checksum of"));
  sidecar_ = *old_sidecar_;
}

void SegmentRebuild::FinishIndexes() {
  if (indexes_ == nullptr) return;
  absl::Status status = indexes_->Seal();
  if (status.ok()) status = indexes_->Sync();
  if (!status.ok()) DropIndexes(status);
}

absl::Status SegmentRebuild::PutSidecar(int64_t size) {
  CHECK_LE(sidecar_.size_bytes, size) << log_path_;
  if (sidecar_.size_bytes != size) return DropSidecar();
  sidecar_.index_crc = std::nullopt;
  sidecar_.time_index_crc = std::nullopt;
  // As long as it has all of its batches, what follows it is the same, too.
  sidecar_.cleaned_to =
      old_sidecar_.has_value() && old_sidecar_->size_bytes == size
          ? old_sidecar_->cleaned_to
          : std::nullopt;
  if (indexes_ != nullptr) indexes_->AddChecksums(sidecar_);
  absl::Status status = WriteSidecar(directory_, sidecar_);
  if (status.ok()) return status;
  report_.notes.push_back(
      absl::StrCat(log_path_, ": no sidecar for now: ", status.message()));
  return DropSidecar();
}

absl::Status SegmentRebuild::DropSidecar() {
  return RemoveSidecar(directory_, base_offset_);
}

}  // namespace varve
