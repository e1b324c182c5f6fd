// SPDX-License-Identifier: Apache-2.0

#include "varve/log/cleaner/source_check.h"

#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "varve/log/segment/segment.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/system/file_system.h"

namespace varve {

absl::Status CheckSource(Directory& directory, const Segment& segment,
                         int64_t end) {
  const std::string_view bytes = segment.visible_bytes();
  const std::optional<SegmentSidecar> sidecar =
      ReadSidecarOf(directory, segment.base_offset(), std::ssize(bytes));
  if (!sidecar.has_value()) return absl::OkStatus();
  SegmentSidecar batches = SegmentSidecar::OfEmpty(segment.base_offset());
  batches.AddBatchesOf(bytes);
  if (batches.size_bytes != sidecar->size_bytes ||
      batches.headers_crc != sidecar->headers_crc) {
    return absl::DataLossError(absl::StrCat(
        segment.path(),
        ": its batches are not those that its sidecar was written for; it is "
        "not compacted: varve verify says more"));
  }
  if (sidecar->cleaned_to.has_value() && *sidecar->cleaned_to != end) {
    return absl::DataLossError(absl::StrCat(
        segment.path(), ": offset ", *sidecar->cleaned_to,
        " should follow it, and the next segment begins at ", end));
  }
  return absl::OkStatus();
}

}  // namespace varve
