// SPDX-License-Identifier: Apache-2.0

#include "varve/log/cleaner/cleaned_segment.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/segment/segment.h"
#include "varve/log/segment/segment_indexes.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/mapped_file.h"

namespace varve {
namespace {

constexpr int64_t kSyncStepBytes = int64_t{4} << 20;

std::string TransactionsName(int64_t base_offset) {
  return SwapFileName(
      {.file = {.base_offset = base_offset, .kind = SegmentFileKind::kTxnIndex},
       .stage = SwapStage::kCleaned});
}

absl::Status RemoveFiles(Directory& directory, int64_t base_offset) {
  const SegmentFileNames names =
      SegmentFileNames::Of(base_offset, SwapStage::kCleaned);
  for (const std::string& name :
       {CleanedSidecarFileName(base_offset), names.log, names.index,
        names.time_index, TransactionsName(base_offset)}) {
    absl::Status status = directory.RemoveFileIfThere(name);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

CleanedSegment::CleanedSegment(Directory* directory,
                               std::unique_ptr<MappedFile> log,
                               std::unique_ptr<SegmentIndexes> indexes,
                               int64_t base_offset)
    : directory_(directory),
      log_(std::move(log)),
      indexes_(std::move(indexes)),
      transactions_(base_offset),
      sidecar_(SegmentSidecar::OfEmpty(base_offset)) {}

absl::StatusOr<std::unique_ptr<CleanedSegment>> CleanedSegment::Create(
    Directory& directory, int64_t base_offset, const LogConfig& config,
    int64_t first_batch_bytes) {
  if (absl::Status status = RemoveFiles(directory, base_offset); !status.ok())
    return status;
  LogConfig sized = config;
  sized.segment_bytes = std::max(sized.segment_bytes, first_batch_bytes);
  absl::StatusOr<SegmentFiles> files = CreateSegmentFiles(
      directory, SegmentFileNames::Of(base_offset, SwapStage::kCleaned), sized);
  if (!files.ok()) {
    // The first error is the one to report; what is left means nothing.
    RemoveFiles(directory, base_offset).IgnoreError();
    return files.status();
  }
  return std::unique_ptr<CleanedSegment>(new CleanedSegment(
      &directory, std::move(files->log),
      SegmentIndexes::Adopt(base_offset, sized, std::move(files->index),
                            std::move(files->time_index)),
      base_offset));
}

bool CleanedSegment::HasRoomFor(const RecordBatch& batch) const {
  return batch.size() <= log_->capacity() - size_ &&
         (size_ == 0 ||
          (!indexes_->offset_index_full() && !indexes_->time_index_full()));
}

absl::Status CleanedSegment::Append(
    const RecordBatch& batch,
    const std::optional<AbortedTransaction>& index_entry) {
  const int64_t end = size_ + batch.size();
  absl::Status status = log_->EnsureAllocated(end);
  if (status.ok()) status = indexes_->Reserve();
  if (!status.ok()) return status;
  std::memcpy(log_->data() + size_, batch.bytes().data(), batch.bytes().size());
  if (status = log_->WriteOut(end); !status.ok()) return status;
  indexes_->Add(IndexedBatch::Of(batch), size_);
  size_ = end;
  if (index_entry.has_value()) {
    transactions_.Reserve();
    transactions_.Add(*index_entry);
  }
  return size_ - synced_ < kSyncStepBytes ? absl::OkStatus() : Sync();
}

absl::Status CleanedSegment::Sync() {
  // Before the sync, which lets go of the pages that this looks at.
  sidecar_.AddBatchesOf(log_->bytes(size_));
  CHECK_EQ(sidecar_.size_bytes, size_) << log_->path();
  synced_ = size_;
  return log_->Sync(size_);
}

absl::Status CleanedSegment::Finish(int64_t cleaned_to, absl::Time modified) {
  absl::Status status = log_->Seal(size_);
  if (status.ok()) status = indexes_->Seal();
  if (status.ok()) status = Sync();
  if (status.ok()) status = indexes_->Sync();
  if (!status.ok()) return status;
  CHECK_LE(sidecar_.next_offset, cleaned_to) << log_->path();
  indexes_->AddChecksums(sidecar_);
  sidecar_.cleaned_to = cleaned_to;
  status = WriteTransactions();
  if (status.ok()) status = WriteCleanedSidecar(*directory_, sidecar_);
  if (!status.ok()) return status;
  absl::StatusOr<std::unique_ptr<File>> file = directory_->OpenFile(
      SegmentFileNames::Of(base_offset(), SwapStage::kCleaned).log,
      OpenMode::kReadWrite);
  if (!file.ok()) return file.status();
  if (status = (*file)->SetModifiedAt(modified); !status.ok()) return status;
  return (*file)->Sync();
}

absl::Status CleanedSegment::WriteTransactions() {
  if (transactions_.entries().empty()) return absl::OkStatus();
  return ReplaceFileNameUnsynced(*directory_, TransactionsName(base_offset()),
                                 transactions_.entries());
}

}  // namespace varve
