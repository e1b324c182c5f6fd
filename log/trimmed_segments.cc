// SPDX-License-Identifier: Apache-2.0

#include "log/trimmed_segments.h"

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "log/file_system.h"
#include "log/segment_name.h"

namespace varve {
namespace {

// The .log last: without it the others mean nothing, and would stay for ever.
constexpr std::array kDeletionOrder = {
    SegmentFileKind::kIndex, SegmentFileKind::kTimeIndex,
    SegmentFileKind::kTxnIndex, SegmentFileKind::kSnapshot,
    SegmentFileKind::kLog};

absl::Status DeleteSegment(Directory& directory, int64_t base_offset) {
  for (SegmentFileKind kind : kDeletionOrder) {
    absl::Status status =
        directory.RemoveFile(SegmentFileName(base_offset, kind));
    if (!status.ok() && !absl::IsNotFound(status)) return status;
  }
  return absl::OkStatus();
}

}  // namespace

void TrimmedSegments::Add(const std::vector<int64_t>& bases) {
  absl::MutexLock lock(&mu_);
  bases_.insert(bases_.end(), bases.begin(), bases.end());
}

bool TrimmedSegments::empty() const {
  absl::MutexLock lock(&mu_);
  return bases_.empty();
}

absl::Status TrimmedSegments::Delete() {
  std::vector<int64_t> bases;
  {
    absl::MutexLock lock(&mu_);
    bases = std::exchange(bases_, {});
  }
  absl::Status first;
  std::vector<int64_t> left;
  for (int64_t base : bases) {
    absl::Status status = DeleteSegment(*directory_, base);
    if (!status.ok()) left.push_back(base);
    first.Update(status);
  }
  Add(left);
  return first;
}

}  // namespace varve
