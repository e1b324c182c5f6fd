// SPDX-License-Identifier: Apache-2.0

#include "varve/log/import/segment_import.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "varve/log/backup/file_copy.h"
#include "varve/log/backup/segment_copy.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/import/import_progress.h"
#include "varve/log/metadata/continuity.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/recovery/partition_recovery_report.h"
#include "varve/log/recovery/segment_recovery.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/file_batch_scanner.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

absl::StatusOr<std::unique_ptr<File>> OpenLog(Directory& directory,
                                              int64_t base_offset) {
  return directory.OpenFile(SegmentFileName(base_offset, SegmentFileKind::kLog),
                            OpenMode::kRead);
}

// Counts the records of the copy's batches, whose checksums have been verified,
// and looks for gaps.
absl::Status Survey(Directory& directory, const SegmentRecoveryInputs& inputs,
                    SegmentImport& imported) {
  absl::StatusOr<std::unique_ptr<File>> log =
      OpenLog(directory, inputs.base_offset);
  if (!log.ok()) return log.status();
  FileBatchScanner scanner(
      **log, imported.recovery.visible_size,
      {.position = 0, .base_offset = inputs.base_offset},
      {.crc = CrcCheck::kSkip, .continuity = Continuity::kGapsAllowed});
  // Damage that is kept leaves offsets out, too.
  bool is_whole = true;
  do {
    while (true) {
      const int64_t due = scanner.expected_offset();
      const RecordBatch* const batch = scanner.Peek();
      if (batch == nullptr) break;
      if (batch->base_offset() != due)
        imported.continuity = Continuity::kGapsAllowed;
      imported.records += batch->record_count();
      scanner.Advance();
    }
    if (!scanner.status().ok()) return scanner.status();
    is_whole = is_whole && scanner.stop() == ScanStop::kEnd;
  } while (scanner.ResumeBehind());
  imported.end_offset =
      is_whole ? scanner.expected_offset() : imported.recovery.next_offset;
  if (!is_whole || imported.end_offset != imported.recovery.next_offset)
    imported.continuity = Continuity::kGapsAllowed;
  return scanner.status();
}

// A recovery does without an index that it cannot write: reads would scan the
// whole segment then, for ever.
absl::Status CheckIndexes(Directory& directory, int64_t base_offset,
                          const PartitionRecoveryReport& report) {
  for (const SegmentFileKind kind :
       {SegmentFileKind::kIndex, SegmentFileKind::kTimeIndex}) {
    const std::string name = SegmentFileName(base_offset, kind);
    absl::Status status = directory.OpenFile(name, OpenMode::kRead).status();
    if (absl::IsNotFound(status)) {
      return absl::UnavailableError(absl::StrCat(
          directory.PathOf(name), ": the index could not be made: try again",
          report.notes.empty() ? "" : "; ",
          report.notes.empty() ? "" : report.notes.back()));
    }
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SourceSegment> LookAtSource(Directory& source,
                                           int64_t base_offset) {
  absl::StatusOr<std::unique_ptr<File>> log = OpenLog(source, base_offset);
  if (!log.ok()) return log.status();
  const absl::StatusOr<int64_t> bytes = (*log)->Size();
  if (!bytes.ok()) return bytes.status();
  const absl::StatusOr<absl::Time> modified = (*log)->ModifiedAt();
  if (!modified.ok()) return modified.status();
  return SourceSegment{.bytes = *bytes,
                       .modified_ns = absl::ToUnixNanos(*modified)};
}

std::optional<int64_t> EndOfDone(Directory& destination, int64_t base_offset,
                                 const SourceSegment& source,
                                 const ImportProgress& progress) {
  const std::optional<ImportedSegment> done = progress.Find(base_offset);
  if (!done.has_value() || done->source_bytes != source.bytes ||
      done->source_modified_ns != source.modified_ns) {
    return std::nullopt;
  }
  absl::StatusOr<std::unique_ptr<File>> log = OpenLog(destination, base_offset);
  if (!log.ok()) return std::nullopt;
  const absl::StatusOr<int64_t> size = (*log)->Size();
  if (!size.ok()) return std::nullopt;
  const std::optional<SegmentSidecar> sidecar =
      ReadSidecarOf(destination, base_offset, *size);
  if (!sidecar.has_value()) return std::nullopt;
  return sidecar->next_offset;
}

absl::StatusOr<SegmentImport> ImportSegment(const ImportDirectories& where,
                                            const LogConfig& config,
                                            const SegmentRecoveryInputs& inputs,
                                            const CopyProgress& progress,
                                            PartitionRecoveryReport& report) {
  const absl::StatusOr<SegmentCopy> copied =
      CopySegment(where.source, where.destination, inputs.base_offset,
                  {.state = SegmentState::kMayChange,
                   .same = SameSegments::kCopyAgain,
                   .replaced = ReplacedLog::kDrop,
                   .progress = progress});
  if (!copied.ok()) return copied.status();
  absl::StatusOr<SegmentRecoveryResult> recovered =
      RecoverSegment(where.destination, config, inputs, report);
  if (!recovered.ok()) return recovered.status();
  // Without room to set something aside, the copy is not what it should be.
  if (!recovered->read_only.ok()) return recovered->read_only;
  SegmentImport imported = {.recovery = *std::move(recovered)};
  if (imported.recovery.epochs_contradicted) return imported;
  if (imported.recovery.damaged_end || imported.recovery.unproved_gap)
    imported.continuity = Continuity::kGapsAllowed;
  absl::Status status =
      CheckIndexes(where.destination, inputs.base_offset, report);
  if (status.ok()) status = Survey(where.destination, inputs, imported);
  if (!status.ok()) return status;
  return imported;
}

}  // namespace varve
