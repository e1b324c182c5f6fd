// SPDX-License-Identifier: Apache-2.0

#include "log/trimmed_segments.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "log/file_system.h"
#include "log/log_meters.h"
#include "log/segment_list.h"
#include "log/segment_name.h"
#include "log/segment_sidecar.h"

namespace varve {
namespace {

// The .log last: without it the others mean nothing, and would stay for ever.
constexpr std::array kDeletionOrder = {
    SegmentFileKind::kIndex, SegmentFileKind::kTimeIndex,
    SegmentFileKind::kTxnIndex, SegmentFileKind::kSnapshot,
    SegmentFileKind::kLog};

absl::Status DeleteSegment(Directory& directory, int64_t base_offset) {
  absl::Status removed = RemoveSidecar(directory, base_offset);
  if (!removed.ok()) return removed;
  for (SegmentFileKind kind : kDeletionOrder) {
    absl::Status status =
        directory.RemoveFile(SegmentFileName(base_offset, kind));
    if (!status.ok() && !absl::IsNotFound(status)) return status;
  }
  return absl::OkStatus();
}

// Of a sealed segment's batches; 0 when it cannot be told.
int64_t SizeOf(Directory& directory, int64_t base_offset) {
  auto file = directory.OpenFile(
      SegmentFileName(base_offset, SegmentFileKind::kLog), OpenMode::kRead);
  return file.ok() ? (*file)->Size().value_or(0) : 0;
}

}  // namespace

void TrimmedSegments::Add(const std::vector<SegmentList::Removed>& segments) {
  absl::MutexLock lock(&mu_);
  segments_.insert(segments_.end(), segments.begin(), segments.end());
}

bool TrimmedSegments::empty() const {
  absl::MutexLock lock(&mu_);
  return segments_.empty();
}

absl::Status TrimmedSegments::Delete(int64_t durable_start,
                                     absl::FunctionRef<absl::Status()> settle,
                                     LogMeters& meters) {
  std::vector<SegmentList::Removed> segments;
  {
    absl::MutexLock lock(&mu_);
    segments = std::exchange(segments_, {});
  }
  absl::Status first = settle();
  if (!first.ok()) {
    Add(segments);
    return first;
  }
  int64_t end = 0;
  std::vector<SegmentList::Removed> left;
  for (const SegmentList::Removed& segment : segments) {
    if (segment.end_offset > durable_start) {
      left.push_back(segment);
      continue;
    }
    const int64_t size = SizeOf(*directory_, segment.base_offset);
    absl::Status status = DeleteSegment(*directory_, segment.base_offset);
    if (status.ok()) {
      meters.deleted_segments.Add();
      meters.deleted_bytes.Add(size);
    } else {
      left.push_back(segment);
    }
    first.Update(status);
    end = std::max(end, segment.end_offset);
  }
  absl::MutexLock lock(&mu_);
  segments_.insert(segments_.end(), left.begin(), left.end());
  deleted_end_ = std::max(deleted_end_, end);
  return first;
}

int64_t TrimmedSegments::deleted_end() const {
  absl::MutexLock lock(&mu_);
  return deleted_end_;
}

}  // namespace varve
