// SPDX-License-Identifier: Apache-2.0

#include "log/segment_recovery.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "log/batch_scanner.h"
#include "log/file_system.h"
#include "log/log_config.h"
#include "log/record_batch.h"
#include "log/recovery_report.h"
#include "log/segment_indexes.h"
#include "log/segment_name.h"
#include "log/segment_sidecar.h"
#include "log/set_aside.h"
#include "log/tail_recovery.h"

namespace varve {
namespace {

class SegmentRecoverer {
 public:
  SegmentRecoverer(Directory& directory, const LogConfig& config,
                   const SegmentRecoveryInputs& inputs,
                   PartitionRecovery& report, File& file,
                   std::string_view bytes)
      : directory_(directory),
        config_(config),
        inputs_(inputs),
        report_(report),
        file_(file),
        bytes_(bytes),
        end_(static_cast<int64_t>(bytes.size())),
        sidecar_(SegmentSidecar::OfEmpty(inputs.base_offset)),
        scanner_(bytes, {.position = 0, .base_offset = inputs.base_offset},
                 {.continuity = inputs.continuity, .epochs = inputs.epochs}) {}

  absl::StatusOr<SegmentRecoveryResult> Run() {
    ReadOldSidecar();
    CreateIndexes();
    bool more = true;
    while (more) {
      ScanBatches();
      result_.epochs_contradicted = EpochsContradicted();
      if (result_.epochs_contradicted) return result_;
      absl::StatusOr<bool> resumed = HandleStop();
      if (!resumed.ok()) return resumed.status();
      more = *resumed;
    }
    result_.next_offset = scanner_.expected_offset();
    FinishIndexes();
    if (absl::Status status = file_.Sync(); !status.ok()) return status;
    if (absl::Status status = PutSidecar(); !status.ok()) return status;
    return result_;
  }

 private:
  void ReadOldSidecar() {
    absl::StatusOr<SegmentSidecar> old =
        ReadSidecar(directory_, inputs_.base_offset);
    if (old.ok()) {
      old_sidecar_ = *old;
    } else if (!absl::IsNotFound(old.status())) {
      report_.notes.push_back(
          absl::StrCat("a sidecar was made again: ", old.status().message()));
    }
  }

  // What a sidecar says of the batches before its end stands: were it made
  // anew, what has been damaged since would be right from now on.
  void AddToSidecar(const RecordBatch& batch) {
    sidecar_.Add(batch);
    if (!old_sidecar_.has_value() ||
        sidecar_.size_bytes != old_sidecar_->size_bytes ||
        sidecar_.headers_crc == old_sidecar_->headers_crc) {
      return;
    }
    report_.notes.push_back(absl::StrCat(
        file_.path(), ": the headers of the batches are not those that ",
        SidecarFileName(inputs_.base_offset), " has a checksum of"));
    sidecar_ = *old_sidecar_;
  }

  // A segment that ends with its last batch gets one, any other loses it.
  absl::Status PutSidecar() {
    if (sidecar_.size_bytes == end_ && result_.read_only.ok()) {
      sidecar_.index_crc = std::nullopt;
      sidecar_.time_index_crc = std::nullopt;
      if (indexes_ != nullptr) indexes_->AddChecksums(sidecar_);
      absl::Status status = WriteSidecar(directory_, sidecar_);
      if (status.ok()) return status;
      report_.notes.push_back(absl::StrCat(
          file_.path(), ": no sidecar for now: ", status.message()));
    }
    return RemoveSidecar(directory_, inputs_.base_offset);
  }

  // Without room on disk for indexes the segment is read by scanning, and the
  // first append makes them.
  void CreateIndexes() {
    auto indexes =
        SegmentIndexes::Create(directory_, inputs_.base_offset, config_);
    if (indexes.ok()) {
      indexes_ = *std::move(indexes);
    } else {
      DropIndexes(indexes.status());
    }
  }

  void DropIndexes(const absl::Status& reason) {
    report_.notes.push_back(
        absl::StrCat(file_.path(), ": no index for now: ", reason.message()));
    indexes_ = nullptr;
    for (SegmentFileKind kind :
         {SegmentFileKind::kIndex, SegmentFileKind::kTimeIndex}) {
      // What cannot be removed is checked on use, like every index.
      directory_.RemoveFile(SegmentFileName(inputs_.base_offset, kind))
          .IgnoreError();
    }
  }

  void FinishIndexes() {
    if (indexes_ == nullptr) return;
    absl::Status status = indexes_->Seal();
    if (status.ok()) status = indexes_->Sync();
    if (!status.ok()) DropIndexes(status);
  }

  void ScanBatches() {
    while (const RecordBatch* batch = scanner_.Peek()) {
      result_.highest_epoch =
          std::max(result_.highest_epoch, batch->leader_epoch());
      report_.bytes_scanned += batch->size();
      if (indexes_ != nullptr) {
        absl::Status status = indexes_->Reserve();
        if (!status.ok()) DropIndexes(status);
      }
      if (indexes_ != nullptr) indexes_->Add(*batch, scanner_.position());
      AddToSidecar(*batch);
      scanner_.Advance();
      result_.visible_size = scanner_.position();
    }
  }

  // One batch of a wrong epoch may be damaged itself, in the field that no CRC
  // covers; when none behind it fits either, it is the checkpoint.
  bool EpochsContradicted() {
    return scanner_.stop() == ScanStop::kWrongEpoch &&
           scanner_.expected_offset() < inputs_.recovery_point &&
           inputs_.epochs_source == EpochsSource::kCheckpoint &&
           !scanner_.FindBatchBehind().has_value();
  }

  // Whether the next segment begins where this one stops, so that the stop is
  // simply the end of the segment.
  bool ContinuesInNextSegment() const {
    if (!inputs_.next_base_offset.has_value()) return false;
    if (inputs_.continuity == Continuity::kGapsAllowed) {
      return scanner_.expected_offset() <= *inputs_.next_base_offset;
    }
    return scanner_.expected_offset() == *inputs_.next_base_offset;
  }

  StopContent Content() const {
    switch (scanner_.stop()) {
      case ScanStop::kZeros:
        return StopContent::kZerosToEnd;
      case ScanStop::kEnd:
        return inputs_.next_base_offset.has_value() ? StopContent::kMissingBatch
                                                    : StopContent::kEndOfLog;
      default:
        return StopContent::kBadBatch;
    }
  }

  // Acts on the place where the scan stopped. Returns whether it can go on
  // behind it, in the same segment.
  absl::StatusOr<bool> HandleStop() {
    const bool unwritten = scanner_.stop() == ScanStop::kEnd ||
                           scanner_.stop() == ScanStop::kZeros;
    if (unwritten && ContinuesInNextSegment()) return TrimZeros();
    const std::optional<BatchPlace> behind = scanner_.FindBatchBehind();
    // A batch of a wrong epoch is whole and continues the log: perhaps it is
    // the checkpoint of the epochs that is wrong.
    const bool found = behind.has_value() ||
                       inputs_.later_segments == BatchBehind::kFound ||
                       scanner_.stop() == ScanStop::kWrongEpoch;
    const StopRegion region =
        scanner_.expected_offset() < inputs_.recovery_point
            ? StopRegion::kBelowRecoveryPoint
            : StopRegion::kAtOrAboveRecoveryPoint;
    const RecoveryAction action = DecideRecovery(
        region, Content(), found ? BatchBehind::kFound : BatchBehind::kNone);
    switch (action) {
      case RecoveryAction::kKeepAll:
        return false;
      case RecoveryAction::kTrimZeros:
        return TrimZeros();
      case RecoveryAction::kCutTornTail:
      case RecoveryAction::kCutAmbiguous:
        NoteBatchesOfTail();
        return Cut(action);
      case RecoveryAction::kKeepDamaged:
        return KeepDamaged(behind);
    }
    return false;
  }

  absl::StatusOr<bool> TrimZeros() {
    if (scanner_.position() == static_cast<int64_t>(bytes_.size()))
      return false;
    if (absl::Status status = file_.Truncate(scanner_.position()); !status.ok())
      return status;
    end_ = scanner_.position();
    return false;
  }

  // A batch that is cut keeps its epoch taken, known or not: the next one must
  // be higher.
  void NoteBatchesOfTail() {
    BatchScanner scanner(
        bytes_.substr(static_cast<size_t>(scanner_.position())),
        {.position = 0, .base_offset = inputs_.base_offset},
        {.continuity = Continuity::kGapsAllowed});
    while (true) {
      while (const RecordBatch* batch = scanner.Peek()) {
        result_.highest_epoch =
            std::max(result_.highest_epoch, batch->leader_epoch());
        scanner.Advance();
        whole_end_ = scanner_.position() + scanner.position();
      }
      const std::optional<BatchPlace> behind = scanner.FindBatchBehind();
      if (!behind.has_value()) return;
      scanner.Resume(*behind);
    }
  }

  // The bytes from the stop to the last one that is not zero, or that belongs
  // to a whole batch.
  std::string_view WrittenTail() const {
    const std::string_view rest =
        bytes_.substr(static_cast<size_t>(scanner_.position()));
    const size_t last = rest.find_last_not_of('\0');
    if (last == std::string_view::npos) return {};
    const int64_t whole =
        std::max<int64_t>(whole_end_ - scanner_.position(), 0);
    return rest.substr(0, std::max(last + 1, static_cast<size_t>(whole)));
  }

  absl::StatusOr<bool> Cut(RecoveryAction action) {
    result_.cut = true;
    RecoveryFinding finding = MakeFinding(action);
    const std::string_view tail = WrittenTail();
    finding.bytes = static_cast<int64_t>(tail.size());
    if (!tail.empty()) {
      absl::StatusOr<std::string> name =
          SetAsideBytes(directory_, inputs_.base_offset, scanner_.position(),
                        tail, kSetAsideSegmentsMax * config_.segment_bytes);
      if (!name.ok()) {
        result_.read_only = name.status();
        finding.detail += absl::StrCat("; not cut: ", name.status().message());
        report_.AddFinding(std::move(finding));
        return false;
      }
      finding.set_aside = absl::StrCat(directory_.path(), "/", *name);
    }
    report_.AddFinding(std::move(finding));
    if (inputs_.set_aside_later != nullptr) {
      absl::Status status = inputs_.set_aside_later();
      if (!status.ok()) return status;
    }
    return TrimZeros();
  }

  absl::StatusOr<bool> KeepDamaged(const std::optional<BatchPlace>& behind) {
    RecoveryFinding finding = MakeFinding(RecoveryAction::kKeepDamaged);
    if (behind.has_value()) {
      finding.next_offset = behind->base_offset;
      finding.bytes = behind->position - scanner_.position();
    } else {
      finding.next_offset =
          inputs_.next_base_offset.value_or(inputs_.recovery_point);
      finding.bytes = static_cast<int64_t>(bytes_.size()) - scanner_.position();
      result_.damaged_end = true;
    }
    report_.AddFinding(std::move(finding));
    if (behind.has_value()) scanner_.Resume(*behind);
    return behind.has_value();
  }

  RecoveryFinding MakeFinding(RecoveryAction action) const {
    std::string detail(ScanStopText(scanner_.stop()));
    if (scanner_.defect() != BatchDefect::kNone &&
        scanner_.stop() == ScanStop::kBadBatch) {
      absl::StrAppend(&detail, ": ", BatchDefectText(scanner_.defect()));
    }
    return {.action = action,
            .path = file_.path(),
            .position = scanner_.position(),
            .offset = scanner_.expected_offset(),
            .next_offset = scanner_.expected_offset(),
            .detail = std::move(detail)};
  }

  Directory& directory_;
  const LogConfig& config_;
  const SegmentRecoveryInputs& inputs_;
  PartitionRecovery& report_;
  File& file_;
  const std::string_view bytes_;
  int64_t end_;  // of the file, once it is cut
  std::optional<SegmentSidecar> old_sidecar_;
  SegmentSidecar sidecar_;  // of the batches so far
  BatchScanner scanner_;
  std::unique_ptr<SegmentIndexes> indexes_;
  SegmentRecoveryResult result_;
  int64_t whole_end_ = 0;  // of the last whole batch in what is cut
};

}  // namespace

absl::StatusOr<SegmentRecoveryResult> RecoverSegment(
    Directory& directory, const LogConfig& config,
    const SegmentRecoveryInputs& inputs, PartitionRecovery& report) {
  auto file = directory.OpenFile(
      SegmentFileName(inputs.base_offset, SegmentFileKind::kLog),
      OpenMode::kReadWrite);
  if (!file.ok()) return file.status();
  absl::StatusOr<int64_t> size = (*file)->Size();
  if (!size.ok()) return size.status();
  std::unique_ptr<Mapping> mapping;
  if (*size > 0) {
    auto mapped =
        (*file)->Map(static_cast<size_t>(*size), MapAccess::kReadOnly);
    if (!mapped.ok()) return mapped.status();
    mapping = *std::move(mapped);
  }
  const std::string_view bytes =
      mapping == nullptr ? std::string_view()
                         : std::string_view(mapping->data(), mapping->size());
  return SegmentRecoverer(directory, config, inputs, report, **file, bytes)
      .Run();
}

}  // namespace varve
