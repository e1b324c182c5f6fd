// SPDX-License-Identifier: Apache-2.0

#include "varve/log/partition/trimmed_segments.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/functional/function_ref.h"
#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/partition/log_meters.h"
#include "varve/log/segment/segment_list.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// The .log is removed last: without it the others mean nothing, and would stay
// for ever.
constexpr std::array kDeletionOrder = {
    SegmentFileKind::kIndex, SegmentFileKind::kTimeIndex,
    SegmentFileKind::kTxnIndex, SegmentFileKind::kSnapshot,
    SegmentFileKind::kLog};
static_assert(kDeletionOrder.back() == SegmentFileKind::kLog);
static_assert(kDeletionOrder.size() ==
              static_cast<size_t>(SegmentFileKind::kSnapshot) + 1);

absl::Status DeleteSegment(Directory& directory, int64_t base_offset) {
  absl::Status removed = RemoveSidecar(directory, base_offset);
  if (!removed.ok()) return removed;
  for (SegmentFileKind kind : kDeletionOrder) {
    absl::Status status =
        directory.RemoveFileIfThere(SegmentFileName(base_offset, kind));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// The size of a sealed segment's batches; 0 when it is not known.
int64_t SizeOf(Directory& directory, int64_t base_offset) {
  auto file = directory.OpenFile(
      SegmentFileName(base_offset, SegmentFileKind::kLog), OpenMode::kRead);
  return file.ok() ? (*file)->Size().value_or(0) : 0;
}

}  // namespace

void TrimmedSegments::TakeBefore(int64_t offset, SegmentList& segments) {
  absl::MutexLock lock(&mu_);
  // Calls that may throw come before segments are taken.
  segments_.reserve(segments_.size() + static_cast<size_t>(segments.count()));
  const std::vector<SegmentList::Removed> taken = segments.RemoveBefore(offset);
  CHECK(taken.empty() || taken.back().end_offset <= offset);
  segments_.insert(segments_.end(), taken.begin(), taken.end());
  // Of two concurrent trims the later one may come first.
  std::sort(segments_.begin(), segments_.end(),
            [](const SegmentList::Removed& a, const SegmentList::Removed& b) {
              return a.base_offset < b.base_offset;
            });
}

int64_t TrimmedSegments::count() const {
  absl::MutexLock lock(&mu_);
  return static_cast<int64_t>(segments_.size());
}

int64_t TrimmedSegments::last_base_offset() const {
  absl::MutexLock lock(&mu_);
  return segments_.empty() ? -1 : segments_.back().base_offset;
}

std::optional<SegmentList::Removed> TrimmedSegments::Take(int64_t durable_start,
                                                          Range range) {
  absl::MutexLock lock(&mu_);
  for (const SegmentList::Removed& segment : segments_) {
    if (segment.end_offset > durable_start) break;
    if (segment.base_offset > range.last) break;
    if (segment.base_offset <= range.after) continue;
    if (taken_.insert(segment.base_offset).second) return segment;
  }
  return std::nullopt;
}

void TrimmedSegments::GiveBack(int64_t base_offset) {
  absl::MutexLock lock(&mu_);
  CHECK_EQ(taken_.erase(base_offset), size_t{1});
}

void TrimmedSegments::NoteDeleted(const SegmentList::Removed& segment) {
  absl::MutexLock lock(&mu_);
  std::erase_if(segments_, [&segment](const SegmentList::Removed& other) {
    return other.base_offset == segment.base_offset;
  });
  deleted_end_ = std::max(deleted_end_, segment.end_offset);
}

absl::Status TrimmedSegments::Delete(int64_t durable_start,
                                     absl::FunctionRef<absl::Status()> settle,
                                     LogMeters& meters) {
  // Segments that are trimmed meanwhile are not settled: the next call deletes
  // them.
  Range range = {.after = -1, .last = last_base_offset()};
  absl::Status first = settle();
  if (!first.ok()) return first;
  while (const auto segment = Take(durable_start, range)) {
    CHECK_GT(segment->base_offset, range.after);
    CHECK_LE(segment->end_offset, durable_start);
    range.after = segment->base_offset;
    const absl::Cleanup done = [&] { GiveBack(segment->base_offset); };
    const int64_t size = SizeOf(*directory_, segment->base_offset);
    absl::Status status = DeleteSegment(*directory_, segment->base_offset);
    first.Update(status);
    if (!status.ok()) continue;
    meters.deleted_segments.Add();
    meters.deleted_bytes.Add(size);
    NoteDeleted(*segment);
  }
  // Another call may be deleting some of them: who returns first would report
  // files gone that are still there.
  const auto nobody_deletes = [&] {
    mu_.AssertHeld();
    return taken_.empty() || *taken_.begin() > range.last;
  };
  absl::MutexLock lock(&mu_, absl::Condition(&nobody_deletes));
  return first;
}

int64_t TrimmedSegments::deleted_end() const {
  absl::MutexLock lock(&mu_);
  if (segments_.empty()) return deleted_end_;
  return std::min(deleted_end_, segments_.front().base_offset);
}

}  // namespace varve
