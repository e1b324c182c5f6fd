// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/last_stamp.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/segment.h"
#include "varve/log/segment/segment_list.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// The last stamp of the batches from `start` on; -1 for none.
int64_t LastStampFrom(const Segment& segment, const BatchPlace& start) {
  int64_t stamp_ms = kNoTimestamp;
  BatchScanner scanner(segment.visible_bytes(), start,
                       {.continuity = Continuity::kGapsAllowed});
  while (true) {
    while (const RecordBatch* batch = scanner.Peek()) {
      if (batch->timestamp_type() == TimestampType::kLogAppendTime)
        stamp_ms = batch->max_timestamp_ms();
      scanner.Advance();
    }
    const std::optional<BatchPlace> behind = scanner.FindBatchBehind();
    if (!behind.has_value()) return stamp_ms;
    scanner.Resume(*behind);
  }
}

// Tries the last batches first: most often one of them was stamped.
int64_t LastStampIn(const Segment& segment) {
  const int64_t stamp_ms = LastStampFrom(
      segment, segment.ScanStart(std::numeric_limits<int64_t>::max()));
  if (stamp_ms >= 0) return stamp_ms;
  return LastStampFrom(segment,
                       {.position = 0, .base_offset = segment.base_offset()});
}

// Whether the sidecar says that no time in the segment is after `now_ms`.
bool IsAllPast(Directory& directory, int64_t base_offset, int64_t now_ms) {
  auto file = directory.OpenFile(
      SegmentFileName(base_offset, SegmentFileKind::kLog), OpenMode::kRead);
  if (!file.ok()) return false;
  const absl::StatusOr<int64_t> size = (*file)->Size();
  if (!size.ok()) return false;
  const std::optional<SegmentSidecar> sidecar =
      ReadSidecarOf(directory, base_offset, *size);
  return sidecar.has_value() && sidecar->max_timestamp_ms <= now_ms;
}

}  // namespace

absl::StatusOr<int64_t> FindLastStamp(Directory& directory,
                                      const SegmentList& segments,
                                      int64_t now_ms) {
  const std::vector<SegmentList::Listed> listed = segments.List();
  for (size_t i = listed.size(); i-- > 0;) {
    std::shared_ptr<Segment> segment = listed[i].segment;
    if (segment == nullptr) {
      if (IsAllPast(directory, listed[i].base_offset, now_ms)) continue;
      auto opened = Segment::OpenReadOnly(directory, listed[i].base_offset);
      if (absl::IsResourceExhausted(opened.status())) return opened.status();
      if (!opened.ok()) continue;
      segment = *std::move(opened);
    }
    const int64_t stamp_ms = LastStampIn(*segment);
    if (stamp_ms >= 0) return stamp_ms;
  }
  return kNoTimestamp;
}

}  // namespace varve
