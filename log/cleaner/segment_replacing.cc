// SPDX-License-Identifier: Apache-2.0

#include "varve/log/cleaner/segment_replacing.h"

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "varve/log/segment/segment.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/swap/segment_swap.h"

namespace varve {

absl::Status SegmentReplacing::Replace(std::unique_ptr<SegmentSwap> swap) {
  absl::MutexLock lock(&mu_);
  absl::Status status = SettleLocked();
  const SegmentReplacement& replacement = swap->replacement();
  if (status.ok() &&
      !log_.segments->HasExactly(replacement.range(), replacement.replaced)) {
    status = absl::CancelledError("the log was trimmed meanwhile");
  }
  if (!status.ok()) {
    swap->Discard().IgnoreError();  // what is left means nothing
    return status;
  }
  swap_ = std::move(swap);
  return SettleLocked();
}

absl::Status SegmentReplacing::SettleLocked() {
  if (swap_ == nullptr) return absl::OkStatus();
  const SegmentReplacement& replacement = swap_->replacement();
  if (absl::Status status = swap_->Commit(); !status.ok()) return status;
  if (new_.empty()) {
    if (absl::Status status = OpenNew(); !status.ok()) return status;
  }
  absl::Status status = swap_->Complete();
  if (!swap_->has_names()) return status;
  for (const std::shared_ptr<Segment>& segment : new_) segment->NoteName();
  // After the list: a reader that has found an old segment looks for the
  // transactions that were aborted in it, and then whether it is still the one.
  log_.aborted->Replace(replacement.range(), replacement.by);
  log_.retention_segments->Forget(replacement.range());
  if (!status.ok()) return status;
  swap_ = nullptr;
  new_.clear();
  return status;
}

absl::Status SegmentReplacing::OpenNew() {
  std::vector<std::shared_ptr<Segment>> opened;
  for (const int64_t base_offset : swap_->replacement().by) {
    absl::StatusOr<std::shared_ptr<Segment>> segment =
        Segment::OpenSwap(*log_.directory, base_offset);
    if (!segment.ok()) return segment.status();
    const absl::StatusOr<SegmentSidecar> sidecar =
        ReadCleanedSidecar(*log_.directory, base_offset);
    if (!sidecar.ok()) return sidecar.status();
    (*segment)->NoteLargestTimestamp(sidecar->max_timestamp_ms);
    opened.push_back(*std::move(segment));
  }
  log_.segments->Replace(swap_->replacement().range(), opened);
  new_ = std::move(opened);
  return absl::OkStatus();
}

}  // namespace varve
