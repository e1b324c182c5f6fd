// SPDX-License-Identifier: Apache-2.0

#include "varve/log/backup/source_look.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/continuity.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/recovery/partition_recovery_report.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/file_batch_scanner.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

absl::StatusOr<bool> HasBatchAt(File& log, const BatchPlace& place,
                                const LeaderEpochs& epochs) {
  const absl::StatusOr<int64_t> size = log.Size();
  if (!size.ok()) return size.status();
  if (place.position >= *size) return false;
  FileBatchScanner scanner(
      log, *size, place, {.continuity = Continuity::kExact, .epochs = &epochs});
  const bool is_there = scanner.Peek() != nullptr;
  if (!scanner.status().ok()) return scanner.status();
  return is_there;
}

// It may have its name by now, and another one may be ready.
absl::StatusOr<CutCause> FindCauseInReady(Directory& source) {
  absl::StatusOr<std::unique_ptr<File>> ready =
      source.OpenFile(kReadyLogName, OpenMode::kRead);
  if (absl::IsNotFound(ready.status())) return CutCause::kSourceChanged;
  if (!ready.ok()) return ready.status();
  const absl::StatusOr<SegmentFront> front = LookAtFront(**ready);
  if (!front.ok()) return front.status();
  if (front->first_offset.has_value()) return CutCause::kCopying;
  return front->has_batch_behind ? CutCause::kDamage : CutCause::kSourceChanged;
}

}  // namespace

absl::StatusOr<SegmentFront> LookAtFront(File& log) {
  const absl::StatusOr<int64_t> size = log.Size();
  if (!size.ok()) return size.status();
  FileBatchScanner scanner(log, *size, {.position = 0, .base_offset = 0},
                           {.continuity = Continuity::kGapsAllowed});
  SegmentFront front;
  const RecordBatch* const batch = scanner.Peek();
  if (batch != nullptr) {
    front.first_offset = batch->base_offset();
  } else if (scanner.stop() == ScanStop::kBadBatch) {
    front.has_batch_behind = scanner.ResumeBehind();
  }
  if (!scanner.status().ok()) return scanner.status();
  return front;
}

absl::StatusOr<CutCause> FindCutCause(Directory& source,
                                      const RecoveryFinding& cut,
                                      const LeaderEpochs& epochs) {
  const std::string_view name =
      std::string_view(cut.path).substr(cut.path.rfind('/') + 1);
  const std::optional<SegmentFile> segment = ParseSegmentFileName(name);
  if (!segment.has_value()) return FindCauseInReady(source);
  // The source may have it under its ready name, and rename it meanwhile.
  for (const std::string_view at : {name, kReadyLogName, name}) {
    absl::StatusOr<std::unique_ptr<File>> log =
        source.OpenFile(at, OpenMode::kRead);
    if (absl::IsNotFound(log.status())) continue;
    if (!log.ok()) return log.status();
    if (at == kReadyLogName) {
      const absl::StatusOr<SegmentFront> front = LookAtFront(**log);
      if (!front.ok()) return front.status();
      if (front->first_offset != segment->base_offset) continue;
    }
    const absl::StatusOr<bool> is_there = HasBatchAt(
        **log, {.position = cut.position, .base_offset = cut.offset}, epochs);
    if (!is_there.ok()) return is_there.status();
    return *is_there ? CutCause::kCopying : CutCause::kDamage;
  }
  return CutCause::kSourceChanged;
}

}  // namespace varve
