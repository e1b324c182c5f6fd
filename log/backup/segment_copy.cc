// SPDX-License-Identifier: Apache-2.0

#include "varve/log/backup/segment_copy.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/backup/earlier_segments.h"
#include "varve/log/backup/file_copy.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// One that was copied while it could change has none, until a recovery makes
// them.
bool HasIndexes(Directory& directory, int64_t base_offset) {
  for (const SegmentFileKind kind :
       {SegmentFileKind::kIndex, SegmentFileKind::kTimeIndex}) {
    const std::string name = SegmentFileName(base_offset, kind);
    if (!directory.OpenFile(name, OpenMode::kRead).ok()) return false;
  }
  return true;
}

// The size of the segment in the destination, if it is that of the source by
// their sidecars.
std::optional<int64_t> SizeIfSame(Directory& source, Directory& destination,
                                  int64_t base_offset) {
  const absl::StatusOr<SegmentSidecar> theirs =
      ReadSidecar(source, base_offset);
  if (!theirs.ok() || !HasIndexes(destination, base_offset))
    return std::nullopt;
  absl::StatusOr<std::unique_ptr<File>> log = destination.OpenFile(
      SegmentFileName(base_offset, SegmentFileKind::kLog), OpenMode::kRead);
  if (!log.ok()) return std::nullopt;
  const absl::StatusOr<int64_t> size = (*log)->Size();
  if (!size.ok()) return std::nullopt;
  const std::optional<SegmentSidecar> ours =
      ReadSidecarOf(destination, base_offset, *size);
  return ours == *theirs ? std::optional(*size) : std::nullopt;
}

// It may have been written by a copy that was interrupted before it synced, or
// by another program.
absl::Status SyncKept(Directory& directory, int64_t base_offset) {
  for (const std::string& name :
       {SegmentFileName(base_offset, SegmentFileKind::kLog),
        SegmentFileName(base_offset, SegmentFileKind::kIndex),
        SegmentFileName(base_offset, SegmentFileKind::kTimeIndex),
        SegmentFileName(base_offset, SegmentFileKind::kTxnIndex),
        SegmentFileName(base_offset, SegmentFileKind::kSnapshot),
        SidecarFileName(base_offset)}) {
    absl::StatusOr<std::unique_ptr<File>> file =
        directory.OpenFile(name, OpenMode::kRead);
    if (absl::IsNotFound(file.status())) continue;
    absl::Status status = file.ok() ? (*file)->Sync() : file.status();
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// Without the file in the source there is none in the destination either.
// Returns whether there is one.
absl::StatusOr<bool> CopyIfThere(Directory& source, Directory& destination,
                                 const std::string& name) {
  absl::StatusOr<std::unique_ptr<File>> file =
      source.OpenFile(name, OpenMode::kRead);
  absl::Status status;
  if (file.ok()) {
    status = CopyBytes(**file, destination, name, nullptr).status();
  } else if (absl::IsNotFound(file.status())) {
    status = destination.RemoveFileIfThere(name);
  } else {
    status = file.status();
  }
  if (!status.ok()) return status;
  return file.ok();
}

absl::Status CopyBeside(Directory& source, Directory& destination,
                        int64_t base_offset, SegmentState state,
                        SegmentCopy& copy) {
  for (const SegmentFileKind kind :
       {SegmentFileKind::kIndex, SegmentFileKind::kTimeIndex,
        SegmentFileKind::kTxnIndex, SegmentFileKind::kSnapshot}) {
    const bool is_index =
        kind == SegmentFileKind::kIndex || kind == SegmentFileKind::kTimeIndex;
    if (is_index && state == SegmentState::kMayChange) continue;
    const absl::StatusOr<bool> there =
        CopyIfThere(source, destination, SegmentFileName(base_offset, kind));
    if (!there.ok()) return there.status();
    copy.lacks_index = copy.lacks_index || (is_index && !*there);
  }
  return CopyIfThere(source, destination, SidecarFileName(base_offset))
      .status();
}

}  // namespace

absl::StatusOr<SegmentCopy> CopySegment(Directory& source,
                                        Directory& destination,
                                        int64_t base_offset,
                                        const SegmentCopyOptions& options) {
  if (options.state == SegmentState::kFinal &&
      options.same == SameSegments::kKeep) {
    const std::optional<int64_t> size =
        SizeIfSame(source, destination, base_offset);
    if (size.has_value()) {
      absl::Status status = SyncKept(destination, base_offset);
      if (!status.ok()) return status;
      if (options.progress) options.progress(*size);
      return SegmentCopy{.bytes = *size, .is_kept = true};
    }
  }
  const std::string name = SegmentFileName(base_offset, SegmentFileKind::kLog);
  absl::StatusOr<std::unique_ptr<File>> log =
      source.OpenFile(name, OpenMode::kRead);
  if (!log.ok()) return log.status();
  const absl::StatusOr<int64_t> bytes =
      CopyBytesBeside(**log, destination, name, options.progress);
  if (!bytes.ok()) return bytes.status();
  // The sidecar describes the files that are replaced now.
  absl::Status status = options.replaced == ReplacedLog::kDisplace
                            ? DisplaceSegment(destination, base_offset)
                            : RemoveSidecar(destination, base_offset);
  if (status.ok()) status = destination.Rename(TemporaryNameOf(name), name);
  SegmentCopy copy = {.bytes = *bytes};
  if (status.ok())
    status = CopyBeside(source, destination, base_offset, options.state, copy);
  if (!status.ok()) return status;
  return copy;
}

}  // namespace varve
