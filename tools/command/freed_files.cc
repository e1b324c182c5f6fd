// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/command/freed_files.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/topic_partition.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// The base offset of the segment that the file belongs to.
std::optional<int64_t> BaseOffsetOf(const std::string& name) {
  if (const auto sidecar = ParseSidecarFileName(name)) return sidecar;
  if (const auto file = ParseSegmentFileName(name)) return file->base_offset;
  return std::nullopt;
}

// The base offset of the first segment that is not wholly before `offset`: the
// last one that begins there or earlier. The last of all always stays.
int64_t FirstKept(const std::vector<DirectoryEntry>& entries, int64_t offset) {
  int64_t first_kept = 0;
  for (const DirectoryEntry& entry : entries) {
    const auto file = ParseSegmentFileName(entry.name);
    if (file.has_value() && file->kind == SegmentFileKind::kLog &&
        file->base_offset <= offset) {
      first_kept = std::max(first_kept, file->base_offset);
    }
  }
  return first_kept;
}

}  // namespace

absl::StatusOr<FreedFiles> FreedFiles::Before(int64_t offset,
                                              const TopicPartition& partition,
                                              const std::string& data) {
  auto store = FileSystem::Posix()->OpenDirectory(data);
  if (!store.ok()) return store.status();
  auto directory = (*store)->OpenDirectory(
      PartitionDirectoryName(partition.topic, partition.partition));
  if (!directory.ok()) return directory.status();
  const absl::StatusOr<std::vector<DirectoryEntry>> entries =
      (*directory)->List();
  if (!entries.ok()) return entries.status();
  const int64_t first_kept = FirstKept(*entries, offset);
  std::vector<std::string> names;
  for (const DirectoryEntry& entry : *entries) {
    const std::optional<int64_t> base_offset = BaseOffsetOf(entry.name);
    if (base_offset.has_value() && *base_offset < first_kept) {
      names.push_back(entry.name);
    }
  }
  return FreedFiles(*std::move(directory), std::move(names));
}

absl::StatusOr<int64_t> FreedFiles::Size() const {
  int64_t total = 0;
  for (const std::string& name : names_) {
    auto file = directory_->OpenFile(name, OpenMode::kRead);
    if (absl::IsNotFound(file.status())) continue;
    if (!file.ok()) return file.status();
    const absl::StatusOr<int64_t> size = (*file)->Size();
    if (!size.ok()) return size.status();
    total += *size;
  }
  return total;
}

}  // namespace varve
