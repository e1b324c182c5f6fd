// SPDX-License-Identifier: Apache-2.0

#include "varve/log/cleaner/compaction_facts.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/compaction/compaction_segment.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/retention/retention_policy.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

absl::StatusOr<int64_t> FirstTimestamp(Directory& directory,
                                       int64_t base_offset) {
  absl::StatusOr<std::unique_ptr<File>> file = directory.OpenFile(
      SegmentFileName(base_offset, SegmentFileKind::kLog), OpenMode::kRead);
  if (!file.ok()) return file.status();
  std::array<char, batch_layout::kRecords> header;
  const absl::StatusOr<size_t> size =
      (*file)->ReadAt(0, absl::MakeSpan(header));
  if (!size.ok()) return size.status();
  if (*size < header.size()) return kNoTimestamp;  // it has no batch
  return RecordBatch(std::string_view(header.data(), header.size()))
      .max_timestamp_ms();
}

absl::StatusOr<int64_t> IndexSize(Directory& directory, int64_t base_offset,
                                  SegmentFileKind kind) {
  absl::StatusOr<std::unique_ptr<File>> file =
      directory.OpenFile(SegmentFileName(base_offset, kind), OpenMode::kRead);
  if (absl::IsNotFound(file.status())) return 0;
  if (!file.ok()) return file.status();
  return (*file)->Size();
}

}  // namespace

std::vector<CompactionSegment> CompactionSegmentsOf(
    absl::Span<const RetentionSegment> segments) {
  std::vector<CompactionSegment> facts;
  facts.reserve(segments.size());
  for (const RetentionSegment& segment : segments) {
    facts.push_back({.base_offset = segment.base_offset,
                     .size_bytes = segment.size_bytes,
                     .max_timestamp_ms = segment.max_timestamp_ms,
                     .modified_ms = segment.modified_ms});
  }
  return facts;
}

absl::Status AddFirstTimestamps(Directory& directory, int64_t from,
                                std::vector<CompactionSegment>& segments) {
  for (size_t i = 0; i < segments.size(); ++i) {
    const bool is_last = i + 1 == segments.size();
    if (!is_last && segments[i + 1].base_offset <= from) continue;
    if (segments[i].size_bytes == 0) continue;
    const absl::StatusOr<int64_t> timestamp_ms =
        FirstTimestamp(directory, segments[i].base_offset);
    if (!timestamp_ms.ok()) return timestamp_ms.status();
    segments[i].first_timestamp_ms = *timestamp_ms;
  }
  return absl::OkStatus();
}

absl::Status AddIndexSizes(Directory& directory,
                           absl::Span<CompactionSegment> segments) {
  for (CompactionSegment& segment : segments) {
    const absl::StatusOr<int64_t> offsets =
        IndexSize(directory, segment.base_offset, SegmentFileKind::kIndex);
    if (!offsets.ok()) return offsets.status();
    const absl::StatusOr<int64_t> times =
        IndexSize(directory, segment.base_offset, SegmentFileKind::kTimeIndex);
    if (!times.ok()) return times.status();
    segment.offset_index_bytes = *offsets;
    segment.time_index_bytes = *times;
  }
  return absl::OkStatus();
}

}  // namespace varve
