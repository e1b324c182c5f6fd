// SPDX-License-Identifier: Apache-2.0

#include "varve/log/backup/earlier_segments.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// All but the .log. The sidecar goes first: it describes the others.
absl::Status RemoveFilesBeside(Directory& directory, int64_t base_offset) {
  absl::Status status = RemoveSidecar(directory, base_offset);
  for (const SegmentFileKind kind :
       {SegmentFileKind::kIndex, SegmentFileKind::kTimeIndex,
        SegmentFileKind::kTxnIndex, SegmentFileKind::kSnapshot}) {
    if (status.ok())
      status = directory.RemoveFileIfThere(SegmentFileName(base_offset, kind));
  }
  return status;
}

}  // namespace

absl::Status DisplaceSegment(Directory& directory, int64_t base_offset) {
  absl::Status status = RemoveFilesBeside(directory, base_offset);
  if (!status.ok()) return status;
  const std::string log = SegmentFileName(base_offset, SegmentFileKind::kLog);
  const std::string aside = DisplacedFileName(base_offset);
  const absl::Status taken =
      directory.OpenFile(aside, OpenMode::kRead).status();
  if (taken.ok()) return directory.RemoveFileIfThere(log);
  if (!absl::IsNotFound(taken)) return taken;
  status = directory.Rename(log, aside);
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

absl::Status RemoveSegmentsBefore(Directory& directory, int64_t base_offset) {
  const absl::StatusOr<std::vector<DirectoryEntry>> entries = directory.List();
  if (!entries.ok()) return entries.status();
  for (const DirectoryEntry& entry : *entries) {
    const std::optional<SegmentFile> file = ParseSegmentFileName(entry.name);
    if (!file.has_value() || file->base_offset >= base_offset ||
        file->kind != SegmentFileKind::kLog) {
      continue;
    }
    absl::Status status = RemoveFilesBeside(directory, file->base_offset);
    if (status.ok()) status = directory.RemoveFileIfThere(entry.name);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status RemoveDisplaced(Directory& directory) {
  const absl::StatusOr<std::vector<DirectoryEntry>> entries = directory.List();
  if (!entries.ok()) return entries.status();
  bool is_changed = false;
  for (const DirectoryEntry& entry : *entries) {
    if (!ParseDisplacedFileName(entry.name).has_value()) continue;
    absl::Status status = directory.RemoveFileIfThere(entry.name);
    if (!status.ok()) return status;
    is_changed = true;
  }
  return is_changed ? directory.Sync() : absl::OkStatus();
}

}  // namespace varve
