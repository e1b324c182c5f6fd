// SPDX-License-Identifier: Apache-2.0

#include "varve/log/recovery/segment_listing.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/swap/swap_recovery.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

absl::StatusOr<std::vector<std::string>> NamesIn(Directory& directory) {
  absl::StatusOr<std::vector<DirectoryEntry>> entries = directory.List();
  if (!entries.ok()) return entries.status();
  std::vector<std::string> names;
  names.reserve(entries->size());
  for (DirectoryEntry& entry : *entries) names.push_back(std::move(entry.name));
  return names;
}

std::vector<int64_t> SegmentBasesOf(const std::vector<std::string>& names) {
  std::vector<int64_t> bases;
  for (const std::string& name : names) {
    const std::optional<SegmentFile> file = ParseSegmentFileName(name);
    if (file.has_value() && file->kind == SegmentFileKind::kLog)
      bases.push_back(file->base_offset);
  }
  std::sort(bases.begin(), bases.end());
  return bases;
}

}  // namespace

absl::StatusOr<std::vector<int64_t>> ListSegments(Directory& directory) {
  const absl::StatusOr<std::vector<std::string>> names = NamesIn(directory);
  if (!names.ok()) return names.status();
  return SegmentBasesOf(*names);
}

absl::StatusOr<std::vector<int64_t>> ListSettledSegments(Directory& directory) {
  absl::StatusOr<std::vector<std::string>> names = NamesIn(directory);
  if (!names.ok()) return names.status();
  const absl::StatusOr<bool> changed = RecoverSwaps(directory, *names);
  if (!changed.ok()) return changed.status();
  if (*changed) names = NamesIn(directory);
  if (!names.ok()) return names.status();
  return SegmentBasesOf(*names);
}

}  // namespace varve
