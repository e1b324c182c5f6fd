// SPDX-License-Identifier: Apache-2.0

#include "varve/log/recovery/set_aside.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

static_assert(kSetAsideBytesMax >= 4 * kBatchSizeMax,
              "the largest segment is as large as the largest batch");

// The total size of the partition's set-aside files.
absl::StatusOr<int64_t> SizeOfSetAside(Directory& directory) {
  absl::StatusOr<std::vector<DirectoryEntry>> entries = directory.List();
  if (!entries.ok()) return entries.status();
  int64_t total = 0;
  for (const DirectoryEntry& entry : *entries) {
    if (!ParseCutFileName(entry.name).has_value()) continue;
    auto file = directory.OpenFile(entry.name, OpenMode::kRead);
    if (!file.ok()) return file.status();
    absl::StatusOr<int64_t> size = (*file)->Size();
    if (!size.ok()) return size.status();
    total += *size;
  }
  return total;
}

// The first name for this place that no file has.
absl::StatusOr<std::string> FreeName(Directory& directory, int64_t base_offset,
                                     int64_t position) {
  for (int sequence = 0; sequence <= kCutSequenceMax; ++sequence) {
    std::string name = CutFileName({.base_offset = base_offset,
                                    .position = position,
                                    .sequence = sequence});
    auto file = directory.OpenFile(name, OpenMode::kRead);
    if (absl::IsNotFound(file.status())) return name;
    if (!file.ok()) return file.status();
  }
  return absl::ResourceExhaustedError(
      absl::StrCat(directory.path(),
                   ": too many cut-* files of one place; look at them, then "
                   "remove them"));
}

absl::StatusOr<bool> Holds(File& file, std::string_view bytes) {
  absl::StatusOr<int64_t> size = file.Size();
  if (!size.ok()) return size.status();
  if (*size != static_cast<int64_t>(bytes.size())) return false;
  // The sync of the recovery that wrote it may have failed.
  if (absl::Status status = file.DropCache(); !status.ok()) return status;
  if (bytes.empty()) return true;
  auto mapping = file.Map(bytes.size(), MapAccess::kReadOnly);
  if (!mapping.ok()) return mapping.status();
  return std::string_view((*mapping)->data(), bytes.size()) == bytes;
}

// The file that holds these bytes of this place already, on the disk: the
// recovery that wrote it was interrupted before the cut. Empty when there is
// none.
absl::StatusOr<std::string> FindCopy(Directory& directory, int64_t base_offset,
                                     int64_t position, std::string_view bytes) {
  for (int sequence = 0; sequence <= kCutSequenceMax; ++sequence) {
    std::string name = CutFileName({.base_offset = base_offset,
                                    .position = position,
                                    .sequence = sequence});
    auto file = directory.OpenFile(name, OpenMode::kReadWrite);
    if (absl::IsNotFound(file.status())) break;
    if (!file.ok()) return file.status();
    absl::StatusOr<bool> holds = Holds(**file, bytes);
    if (!holds.ok()) return holds.status();
    if (!*holds) continue;
    if (absl::Status status = directory.Sync(); !status.ok()) return status;
    return name;
  }
  return std::string();
}

absl::StatusOr<bool> HoldsOnlyZeros(File& file) {
  absl::StatusOr<int64_t> size = file.Size();
  if (!size.ok()) return size.status();
  if (*size == 0) return true;
  auto mapping = file.Map(static_cast<size_t>(*size), MapAccess::kReadOnly);
  if (!mapping.ok()) return mapping.status();
  return std::string_view((*mapping)->data(), (*mapping)->size())
             .find_first_not_of('\0') == std::string_view::npos;
}

// A .log of only zeros, or of no bytes at all, has nothing to keep.
absl::StatusOr<bool> RemoveIfEmpty(Directory& directory,
                                   const std::string& name) {
  auto file = directory.OpenFile(name, OpenMode::kRead);
  if (!file.ok()) return file.status();
  absl::StatusOr<bool> empty = HoldsOnlyZeros(**file);
  if (!empty.ok() || !*empty) return empty;
  if (absl::Status status = directory.RemoveFile(name); !status.ok())
    return status;
  return true;
}

absl::Status WriteAndSync(File& file, std::string_view bytes) {
  absl::Status status = file.WriteAt(0, bytes);
  return status.ok() ? file.Sync() : status;
}

}  // namespace

absl::StatusOr<std::string> SetAsideBytes(Directory& directory,
                                          int64_t base_offset, int64_t position,
                                          std::string_view bytes) {
  absl::StatusOr<std::string> copy =
      FindCopy(directory, base_offset, position, bytes);
  if (!copy.ok() || !copy->empty()) return copy;
  absl::StatusOr<int64_t> present = SizeOfSetAside(directory);
  if (!present.ok()) return present.status();
  if (*present + static_cast<int64_t>(bytes.size()) > kSetAsideBytesMax) {
    return absl::ResourceExhaustedError(
        absl::StrCat(directory.path(), ": ", *present,
                     " bytes are set aside in cut-* files already and ",
                     bytes.size(), " more would exceed ", kSetAsideBytesMax,
                     "; look at them, then remove them"));
  }
  absl::StatusOr<std::string> name = FreeName(directory, base_offset, position);
  if (!name.ok()) return name.status();
  auto file = directory.OpenFile(*name, OpenMode::kCreateNew);
  if (!file.ok()) return file.status();
  if (absl::Status status = WriteAndSync(**file, bytes); !status.ok()) {
    // The first error is the one to report.
    directory.RemoveFile(*name).IgnoreError();
    return status;
  }
  if (absl::Status status = directory.Sync(); !status.ok()) return status;
  return *name;
}

absl::StatusOr<std::string> SetAsideSegment(Directory& directory,
                                            int64_t base_offset) {
  absl::StatusOr<std::string> name = FreeName(directory, base_offset, 0);
  if (!name.ok()) return name.status();
  if (absl::Status status = RemoveSidecar(directory, base_offset);
      !status.ok()) {
    return status;
  }
  // Removes the indexes first: after an interruption here the segment only
  // lacks them; in the other order they would stay for ever.
  for (SegmentFileKind kind :
       {SegmentFileKind::kIndex, SegmentFileKind::kTimeIndex}) {
    absl::Status status =
        directory.RemoveFileIfThere(SegmentFileName(base_offset, kind));
    if (!status.ok()) return status;
  }
  const std::string log = SegmentFileName(base_offset, SegmentFileKind::kLog);
  absl::StatusOr<bool> removed = RemoveIfEmpty(directory, log);
  if (!removed.ok()) return removed.status();
  if (*removed) return std::string();
  absl::Status status = directory.Rename(log, *name);
  if (!status.ok()) return status;
  return *name;
}

}  // namespace varve
