// SPDX-License-Identifier: Apache-2.0

#include "varve/log/recovery/segment_recovery.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/recovery/partition_recovery_report.h"
#include "varve/log/recovery/segment_rebuild.h"
#include "varve/log/recovery/set_aside.h"
#include "varve/log/recovery/tail_recovery.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

class SegmentRecoverer {
 public:
  SegmentRecoverer(Directory& directory, const LogConfig& config,
                   const SegmentRecoveryInputs& inputs,
                   PartitionRecoveryReport& report, File& file,
                   std::string_view bytes)
      : directory_(directory),
        inputs_(inputs),
        report_(report),
        file_(file),
        bytes_(bytes),
        end_(static_cast<int64_t>(bytes.size())),
        rebuild_(directory, config, inputs.base_offset, file.path(), report),
        scanner_(bytes, {.position = 0, .base_offset = inputs.base_offset},
                 {.continuity = inputs.outline.continuity,
                  .gaps_end = LastGapEnd(inputs.outline.checkpoint),
                  .next_base_offset = inputs.next_base_offset,
                  .epochs = inputs.epochs}) {}

  absl::StatusOr<SegmentRecoveryResult> Run() {
    bool more = true;
    while (more) {
      ScanBatches();
      result_.epochs_contradicted = EpochsContradicted();
      if (result_.epochs_contradicted) return result_;
      absl::StatusOr<bool> resumed = HandleStop();
      if (!resumed.ok()) return resumed.status();
      more = *resumed;
    }
    CHECK_LE(result_.visible_size, end_);
    result_.next_offset = scanner_.expected_offset();
    rebuild_.FinishIndexes();
    if (absl::Status status = file_.Sync(); !status.ok()) return status;
    absl::Status status = result_.read_only.ok() ? rebuild_.PutSidecar(end_)
                                                 : rebuild_.DropSidecar();
    if (!status.ok()) return status;
    return result_;
  }

 private:
  void ScanBatches() {
    while (const RecordBatch* batch = scanner_.Peek()) {
      result_.highest_epoch =
          std::max(result_.highest_epoch, batch->leader_epoch());
      report_.bytes_scanned += batch->size();
      rebuild_.Add(*batch, scanner_.position());
      scanner_.Advance();
      result_.visible_size = scanner_.position();
    }
  }

  // One batch of a wrong epoch may be damaged itself, in the field that no CRC
  // covers; when none after it fits either, the checkpoint is wrong.
  bool EpochsContradicted() {
    return scanner_.stop() == ScanStop::kWrongEpoch &&
           scanner_.expected_offset() <
               inputs_.outline.checkpoint.recovery_point &&
           inputs_.epochs_source == EpochsSource::kCheckpoint &&
           !scanner_.FindBatchBehind().has_value();
  }

  // Steps over offsets that compaction may have left out. Returns whether there
  // were any. Those at and above the recovery point stay due, because nothing
  // was ever compacted there.
  bool StepOverAllowedGap() {
    if (inputs_.outline.continuity == Continuity::kExact) return false;
    int64_t goes_on = scanner_.expected_offset();
    if (scanner_.stop() == ScanStop::kEnd) {
      goes_on = inputs_.next_base_offset.value_or(goes_on);
      if (goes_on > scanner_.expected_offset() &&
          Region() == StopRegion::kWithoutCheckpoint) {
        result_.unproved_gap = true;
      }
    } else if (scanner_.stop() == ScanStop::kWrongOffset) {
      const std::optional<BatchPlace> behind = scanner_.FindBatchBehind();
      if (StandsHere(behind)) goes_on = behind->base_offset;
    }
    goes_on = std::min(goes_on, LastGapEnd(inputs_.outline.checkpoint));
    if (goes_on <= scanner_.expected_offset()) return false;
    scanner_.Resume({.position = scanner_.position(), .base_offset = goes_on});
    return true;
  }

  bool StandsHere(const std::optional<BatchPlace>& place) const {
    return place.has_value() && place->position == scanner_.position();
  }

  RecoveryStop Stop(const std::optional<BatchPlace>& behind) const {
    // A batch of a wrong epoch is whole and continues the log: perhaps it is
    // the checkpoint of the epochs that is wrong.
    const bool found = behind.has_value() ||
                       inputs_.later_segments == BatchBehind::kFound ||
                       scanner_.stop() == ScanStop::kWrongEpoch;
    return {.region = Region(),
            .content = Content(behind),
            .next = Next(),
            .behind = found ? BatchBehind::kFound : BatchBehind::kNone};
  }

  StopRegion Region() const {
    const PartitionCheckpoint& checkpoint = inputs_.outline.checkpoint;
    if (scanner_.expected_offset() < checkpoint.recovery_point)
      return StopRegion::kBelowRecoveryPoint;
    return checkpoint.origin == CheckpointOrigin::kOwn
               ? StopRegion::kAtOrAboveRecoveryPoint
               : StopRegion::kWithoutCheckpoint;
  }

  StopContent Content(const std::optional<BatchPlace>& behind) const {
    if (scanner_.stop() == ScanStop::kEnd) return StopContent::kEndOfFile;
    if (scanner_.stop() == ScanStop::kZeros) return StopContent::kZerosToEnd;
    return StandsHere(behind) ? StopContent::kLaterBatch
                              : StopContent::kBadBatch;
  }

  NextSegment Next() const {
    if (!inputs_.next_base_offset.has_value()) return NextSegment::kNone;
    const int64_t distance =
        *inputs_.next_base_offset - scanner_.expected_offset();
    if (distance == 0) return NextSegment::kContinues;
    return distance > 0 ? NextSegment::kBehindGap : NextSegment::kOverlaps;
  }

  // Acts on the place where the scan stopped. Returns whether the scan can
  // continue after it, in the same segment.
  absl::StatusOr<bool> HandleStop() {
    if (StepOverAllowedGap()) return true;
    const std::optional<BatchPlace> behind = scanner_.FindBatchBehind();
    const RecoveryAction action = DecideRecovery(Stop(behind));
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
    CHECK_GE(scanner_.position(), result_.visible_size);
    if (absl::Status status = file_.Truncate(scanner_.position()); !status.ok())
      return status;
    end_ = scanner_.position();
    return false;
  }

  // The epoch of a batch that is cut, known or not, is not used again: the next
  // one must be higher.
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
    CHECK_GE(scanner_.expected_offset(),
             inputs_.outline.checkpoint.recovery_point);
    result_.cut = true;
    if (scanner_.position() == kept_damage_end_) result_.damaged_end = true;
    RecoveryFinding finding = MakeFinding(action);
    absl::Status status = SetAsideTail(finding);
    if (status.ok()) status = SetAsideLater();
    result_.read_only = status;
    if (!status.ok()) NoteNotCut(finding);
    report_.AddFinding(std::move(finding));
    return status.ok() ? TrimZeros() : absl::StatusOr<bool>(false);
  }

  absl::Status SetAsideTail(RecoveryFinding& finding) {
    const std::string_view tail = WrittenTail();
    finding.bytes = static_cast<int64_t>(tail.size());
    if (tail.empty()) return absl::OkStatus();
    absl::StatusOr<std::string> name = SetAsideBytes(
        directory_, inputs_.base_offset, scanner_.position(), tail);
    if (!name.ok()) return name.status();
    finding.set_aside = directory_.PathOf(*name);
    return absl::OkStatus();
  }

  absl::Status SetAsideLater() {
    return inputs_.set_aside_later == nullptr ? absl::OkStatus()
                                              : inputs_.set_aside_later();
  }

  void NoteNotCut(RecoveryFinding& finding) const {
    absl::StrAppend(&finding.detail,
                    "; not cut: ", result_.read_only.message());
  }

  absl::StatusOr<bool> KeepDamaged(const std::optional<BatchPlace>& behind) {
    RecoveryFinding finding = MakeFinding(RecoveryAction::kKeepDamaged);
    const PartitionCheckpoint& checkpoint = inputs_.outline.checkpoint;
    const int64_t goes_on =
        behind.has_value()
            ? behind->base_offset
            : inputs_.next_base_offset.value_or(checkpoint.recovery_point);
    finding.next_offset = std::min(goes_on, LastGapEnd(checkpoint));
    const int64_t end = behind.has_value() ? behind->position : end_;
    finding.bytes = end - scanner_.position();
    CHECK_GE(finding.bytes, 0);
    kept_damage_end_ = end;
    const bool ends_here = goes_on > finding.next_offset;
    scanner_.Resume({.position = behind.has_value() ? end : scanner_.position(),
                     .base_offset = finding.next_offset});
    report_.AddFinding(std::move(finding));
    if (behind.has_value()) return true;
    result_.damaged_end = true;
    if (ends_here) EndBeforeNextSegment();
    return false;
  }

  // Records that were not durable are missing before the next segment, after
  // durable ones that are damaged: the log ends at the recovery point.
  void EndBeforeNextSegment() {
    CHECK(inputs_.next_base_offset.has_value());
    result_.cut = true;
    RecoveryFinding finding =
        MakeFinding(inputs_.later_segments == BatchBehind::kFound
                        ? RecoveryAction::kCutAmbiguous
                        : RecoveryAction::kCutTornTail);
    finding.detail = absl::StrCat("the next segment begins at offset ",
                                  *inputs_.next_base_offset);
    result_.read_only = SetAsideLater();
    if (!result_.read_only.ok()) NoteNotCut(finding);
    report_.AddFinding(std::move(finding));
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
  const SegmentRecoveryInputs& inputs_;
  PartitionRecoveryReport& report_;
  File& file_;
  const std::string_view bytes_;
  int64_t end_;                   // of the file, once it is cut
  int64_t kept_damage_end_ = -1;  // of the last damage that was kept
  SegmentRebuild rebuild_;
  BatchScanner scanner_;
  SegmentRecoveryResult result_;
  int64_t whole_end_ = 0;  // of the last whole batch that is cut
};

}  // namespace

absl::StatusOr<SegmentRecoveryResult> RecoverSegment(
    Directory& directory, const LogConfig& config,
    const SegmentRecoveryInputs& inputs, PartitionRecoveryReport& report) {
  CHECK_EQ(inputs.next_base_offset.has_value(),
           inputs.set_aside_later != nullptr);
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
