// SPDX-License-Identifier: Apache-2.0

#include "varve/log/verification/segment_verifier.h"

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
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_cursor.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/recovery/tail_recovery.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/file_batch_scanner.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/finding_list.h"
#include "varve/log/verification/index_verifier.h"
#include "varve/log/verification/producer_verifier.h"
#include "varve/log/verification/sidecar_verifier.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {
namespace {

// Bytes between two calls of `progress`.
constexpr int64_t kProgressStep = int64_t{4} << 20;

bool IsLast(const SegmentVerifyInputs& inputs) {
  return !inputs.next_base_offset.has_value();
}

// Whether the next open scans the segment, and makes its indexes again.
bool WillBeRecovered(const SegmentVerifyInputs& inputs) {
  return inputs.last_writer == LastWriter::kDied &&
         (IsLast(inputs) ||
          *inputs.next_base_offset >= inputs.outline.checkpoint.recovery_point);
}

// Whether there may be zeros after the last batch and the last index entries.
bool MayBeAllocatedAhead(const SegmentVerifyInputs& inputs) {
  return WillBeRecovered(inputs) ||
         inputs.last_writer == LastWriter::kStillOpen;
}

// Whether its files have their final contents, so that its sidecar applies.
bool IsSealed(const SegmentVerifyInputs& inputs) {
  return IsLast(inputs) ? inputs.last_writer == LastWriter::kClosedCleanly
                        : !WillBeRecovered(inputs);
}

class SegmentVerifier {
 public:
  SegmentVerifier(Directory& directory, const SegmentVerifyInputs& inputs,
                  VerifyCounts& counts, FindingList& findings,
                  std::optional<SidecarVerifier> sidecar, File& file,
                  int64_t size)
      : inputs_(inputs),
        counts_(counts),
        findings_(findings),
        path_(file.path()),
        // Read before the batches, which an open writer stores first.
        indexes_(
            directory,
            {.base_offset = inputs.base_offset,
             .end = MayBeAllocatedAhead(inputs) ? SegmentEnd::kAllocatedAhead
                                                : SegmentEnd::kTrimmed,
             .severity = WillBeRecovered(inputs) ? FindingSeverity::kNote
                                                 : inputs.index_severity},
            findings),
        sidecar_(std::move(sidecar)),
        size_(size),
        scanner_(file, size, {.position = 0, .base_offset = inputs.base_offset},
                 {.continuity = inputs.outline.continuity,
                  .gaps_end = LastGapEnd(inputs.outline.checkpoint),
                  .next_base_offset = inputs.next_base_offset,
                  .epochs = inputs.epochs}) {}

  int64_t Run() {
    do {
      ScanBatches();
    } while (scanner_.status().ok() && !findings_.is_full() && HandleStop());
    if (!scanner_.status().ok()) {
      log_end_ = IndexVerifier::LogEnd::kDamaged;
      findings_.Add(VerifyFinding::FromStatus(path_, scanner_.status()));
    }
    indexes_.Finish(log_end_);
    FinishSidecar();
    FinishProducers();
    counts_.index_entries += indexes_.entry_count();
    ReportProgress();
    return scanner_.expected_offset();
  }

 private:
  void FinishSidecar() {
    if (!sidecar_.has_value()) return;
    if (log_end_ == IndexVerifier::LogEnd::kDamaged) sidecar_->SkipDamage();
    SidecarVerifier::Files files = {
        .size_bytes = size_,
        .index_crc = indexes_.offset_index_crc(),
        .time_index_crc = indexes_.time_index_crc()};
    // A writer may be compacting.
    if (inputs_.last_writer != LastWriter::kStillOpen)
      files.next_base_offset = inputs_.next_base_offset;
    sidecar_->Finish(files);
  }

  void FinishProducers() {
    if (inputs_.producers == nullptr) return;
    counts_.index_entries +=
        inputs_.producers->EndSegment(log_end_ == IndexVerifier::LogEnd::kWhole
                                          ? ProducerVerifier::LogEnd::kWhole
                                          : ProducerVerifier::LogEnd::kDamaged);
  }

  void Add(VerifyFinding finding) {
    finding.path = path_;
    findings_.Add(std::move(finding));
  }

  void ReportProgress() {
    if (inputs_.progress) inputs_.progress(unreported_bytes_);
    unreported_bytes_ = 0;
  }

  void ScanBatches() {
    while (const RecordBatch* batch = scanner_.Peek()) {
      CheckRecords(*batch);
      indexes_.CheckBatch(*batch, scanner_.position());
      if (sidecar_.has_value()) sidecar_->CheckBatch(*batch);
      if (inputs_.producers != nullptr) inputs_.producers->CheckBatch(*batch);
      ++counts_.batches;
      counts_.bytes += batch->size();
      unreported_bytes_ += batch->size();
      if (unreported_bytes_ >= kProgressStep) ReportProgress();
      scanner_.Advance();
    }
  }

  void CheckRecords(const RecordBatch& batch) {
    const absl::StatusOr<std::string_view> records =
        PlainRecords(batch, inputs_.codecs, decompressed_);
    if (!records.ok()) {
      counts_.records += batch.record_count();
      AddUnlessUnimplemented(batch, records.status());
      return;
    }
    int64_t largest_ms = kNoTimestamp;
    RecordCursor cursor(batch, *records);
    while (const RecordView* record = cursor.Next()) {
      largest_ms = std::max(largest_ms, record->timestamp_ms());
      ++counts_.records;
    }
    if (!cursor.status().ok()) {
      Add({.position = scanner_.position(),
           .offset = batch.base_offset(),
           .what = std::string(cursor.status().message())});
      return;
    }
    CheckTimes(batch, largest_ms);
  }

  // Too large for the codecs is not wrong.
  void AddUnlessUnimplemented(const RecordBatch& batch,
                              const absl::Status& status) {
    if (absl::IsUnimplemented(status)) return;
    Add({.severity = absl::IsDataLoss(status) ? FindingSeverity::kDamage
                                              : FindingSeverity::kNote,
         .position = scanner_.position(),
         .offset = batch.base_offset(),
         .what = std::string(status.message())});
  }

  void CheckTimes(const RecordBatch& batch, int64_t largest_ms) {
    const int64_t stated_ms = batch.max_timestamp_ms();
    if (batch.record_count() == 0 || stated_ms == largest_ms) return;
    Add({.position = scanner_.position(),
         .offset = batch.base_offset(),
         .what = "the largest timestamp is not that of the records",
         .expected = absl::StrCat(largest_ms, " ms"),
         .found = absl::StrCat(stated_ms, " ms")});
  }

  // Judges the place where the scan stopped. Returns whether the scan
  // continues.
  bool HandleStop() {
    switch (scanner_.stop()) {
      case ScanStop::kNone:
        return true;
      case ScanStop::kZeros:
        if (!MayBeAllocatedAhead(inputs_)) {
          Add({.position = scanner_.position(),
               .offset = scanner_.expected_offset(),
               .what = "zeros follow the last batch",
               .expected = "the end of the file",
               .found = absl::StrCat(scanner_.size() - scanner_.position(),
                                     " bytes")});
        }
        [[fallthrough]];
      case ScanStop::kEnd:
        CheckSuccessor();
        return false;
      default:
        return HandleDamage();
    }
  }

  // Whether compaction may have left out the offsets that are missing before
  // `next`.
  bool IsAllowedGap(int64_t next) const {
    return inputs_.outline.continuity == Continuity::kGapsAllowed &&
           scanner_.stop() == ScanStop::kEnd &&
           scanner_.expected_offset() < next &&
           next <= LastGapEnd(inputs_.outline.checkpoint);
  }

  // Checks that the next segment begins where this one ends.
  void CheckSuccessor() {
    if (IsLast(inputs_)) return;
    const int64_t next = *inputs_.next_base_offset;
    const int64_t due = scanner_.expected_offset();
    if (due == next || IsAllowedGap(next)) return;
    Add({.position = scanner_.position(),
         .offset = due,
         .what = due < next ? "batches are missing at the end of the segment"
                            : "the next segment begins too early",
         .expected = absl::StrCat("the next segment at offset ", due),
         .found = absl::StrCat("offset ", next)});
  }

  bool HandleDamage() {
    VerifyFinding finding = {
        .path = path_,
        .position = scanner_.position(),
        .offset = scanner_.expected_offset(),
        .what = std::string(ScanStopText(scanner_.stop()))};
    DescribeStop(finding);
    const bool behind = scanner_.ResumeBehind();
    if (behind) {
      indexes_.SkipDamage(scanner_.position(), scanner_.expected_offset());
      if (sidecar_.has_value()) sidecar_->SkipDamage();
      if (inputs_.producers != nullptr)
        inputs_.producers->SkipDamage(scanner_.expected_offset());
      AppendWhereItGoesOn(finding);
    } else {
      log_end_ = IndexVerifier::LogEnd::kDamaged;
      JudgeTail(finding);
    }
    findings_.Add(std::move(finding));
    if (!behind && !IsLast(inputs_)) CheckSuccessor();
    return behind;
  }

  void DescribeStop(VerifyFinding& finding) const {
    absl::StatusOr<RecordBatch> batch =
        RecordBatch::Parse(scanner_.stop_bytes(), CrcCheck::kVerify);
    if (!batch.ok()) {
      finding.found = std::string(batch.status().message());
    } else if (scanner_.stop() == ScanStop::kWrongOffset) {
      finding.expected = absl::StrCat(
          inputs_.outline.continuity == Continuity::kExact ? "" : "at least ",
          scanner_.expected_offset());
      finding.found = absl::StrCat(batch->base_offset());
    } else {
      CHECK(inputs_.epochs != nullptr) << ScanStopText(scanner_.stop());
      const auto epoch = inputs_.epochs->EpochAt(batch->base_offset());
      finding.expected = epoch.has_value() ? absl::StrCat("epoch ", *epoch)
                                           : "an epoch in the checkpoint";
      finding.found = absl::StrCat("epoch ", batch->leader_epoch());
    }
  }

  void AppendWhereItGoesOn(VerifyFinding& finding) const {
    CHECK(finding.offset.has_value());
    absl::StrAppend(&finding.what, "; the log goes on at position ",
                    scanner_.position(), " with offset ",
                    scanner_.expected_offset());
    if (WillBeRecovered(inputs_) &&
        *finding.offset >= inputs_.outline.checkpoint.recovery_point) {
      absl::StrAppend(
          &finding.what,
          "; the next open will cut it here and set the rest aside");
    }
  }

  // Damage with no batch after it may be left at the end of a log by a crash,
  // or by a writer at work.
  void JudgeTail(VerifyFinding& finding) const {
    CHECK(finding.offset.has_value());
    if (!IsLast(inputs_)) return;
    if (inputs_.last_writer == LastWriter::kStillOpen) {
      finding.severity = FindingSeverity::kNote;
      absl::StrAppend(&finding.what, "; the writer may be about to finish it");
      return;
    }
    if (inputs_.last_writer != LastWriter::kDied) return;
    const bool was_durable =
        *finding.offset < inputs_.outline.checkpoint.recovery_point;
    if (DecideRecovery(
            {.region = was_durable ? StopRegion::kBelowRecoveryPoint
                                   : StopRegion::kAtOrAboveRecoveryPoint,
             .content = StopContent::kBadBatch,
             .next = NextSegment::kNone,
             .behind = BatchBehind::kNone}) == RecoveryAction::kCutTornTail) {
      finding.severity = FindingSeverity::kNote;
      absl::StrAppend(&finding.what,
                      "; a torn tail: the next open will cut it and set it "
                      "aside");
    }
  }

  const SegmentVerifyInputs& inputs_;
  VerifyCounts& counts_;
  FindingList& findings_;
  const std::string path_;
  IndexVerifier indexes_;
  std::optional<SidecarVerifier> sidecar_;  // nothing: it is not sealed
  const int64_t size_;                      // of the .log
  FileBatchScanner scanner_;
  ByteBuffer decompressed_;  // the records of one batch
  IndexVerifier::LogEnd log_end_ = IndexVerifier::LogEnd::kWhole;
  int64_t unreported_bytes_ = 0;
};

}  // namespace

int64_t VerifySegment(Directory& directory, const SegmentVerifyInputs& inputs,
                      VerifyCounts& counts, FindingList& findings) {
  ++counts.segments;
  const std::string name =
      SegmentFileName(inputs.base_offset, SegmentFileKind::kLog);
  // Read before the files, which an open writer seals first.
  std::optional<SidecarVerifier> sidecar;
  if (IsSealed(inputs)) {
    sidecar.emplace(directory, inputs.base_offset, findings);
  }
  if (inputs.producers != nullptr)
    inputs.producers->BeginSegment(inputs.base_offset);
  auto file = directory.OpenFile(name, OpenMode::kRead);
  absl::StatusOr<int64_t> size =
      file.ok() ? (*file)->Size() : absl::StatusOr<int64_t>(file.status());
  if (!size.ok()) {
    findings.Add(
        VerifyFinding::FromStatus(directory.PathOf(name), size.status()));
    if (inputs.producers != nullptr)
      inputs.producers->EndSegment(ProducerVerifier::LogEnd::kDamaged);
    return inputs.next_base_offset.value_or(inputs.base_offset);
  }
  return SegmentVerifier(directory, inputs, counts, findings,
                         std::move(sidecar), **file, *size)
      .Run();
}

}  // namespace varve
