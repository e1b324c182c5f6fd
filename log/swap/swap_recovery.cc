// SPDX-License-Identifier: Apache-2.0

#include "varve/log/swap/swap_recovery.h"

#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/segment/segment.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/swap/swap_files.h"
#include "varve/log/swap/swap_plan.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// Whether the sidecar is that of these bytes of a segment.
bool Describes(const SegmentSidecar& sidecar, std::string_view bytes) {
  SegmentSidecar own = SegmentSidecar::OfEmpty(sidecar.base_offset);
  own.AddBatchesOf(bytes);
  return own.size_bytes == std::ssize(bytes) &&
         own.size_bytes == sidecar.size_bytes &&
         own.headers_crc == sidecar.headers_crc;
}

// What its sidecar says, which has a checksum of its own: damage of the batches
// must not make it replace more, or less, than it stands for.
absl::StatusOr<int64_t> EndOf(Directory& directory, int64_t base_offset) {
  const absl::StatusOr<SegmentSidecar> sidecar =
      ReadCleanedSidecar(directory, base_offset);
  if (sidecar.ok() && sidecar->cleaned_to.has_value())
    return *sidecar->cleaned_to;
  const bool has_none = sidecar.ok() || absl::IsNotFound(sidecar.status()) ||
                        absl::IsDataLoss(sidecar.status()) ||
                        absl::IsFailedPrecondition(sidecar.status());
  if (!has_none) return sidecar.status();
  absl::StatusOr<std::shared_ptr<Segment>> segment =
      Segment::OpenSwap(directory, base_offset);
  if (!segment.ok()) return segment.status();
  SegmentSidecar batches = SegmentSidecar::OfEmpty(base_offset);
  batches.AddBatchesOf((*segment)->visible_bytes());
  return batches.next_offset;
}

bool IsSidecarOf(Directory& directory, int64_t base_offset) {
  const absl::StatusOr<SegmentSidecar> sidecar =
      ReadCleanedSidecar(directory, base_offset);
  if (!sidecar.ok()) return false;
  const absl::StatusOr<std::shared_ptr<Segment>> segment =
      Segment::OpenReadOnly(directory, base_offset);
  return segment.ok() && Describes(*sidecar, (*segment)->visible_bytes());
}

absl::Status RemoveAll(Directory& directory,
                       absl::Span<const std::string> names) {
  if (names.empty()) return absl::OkStatus();
  for (const std::string& name : names) {
    absl::Status status = directory.RemoveFileIfThere(name);
    if (!status.ok()) return status;
  }
  return directory.Sync();
}

absl::Status NameAll(Directory& directory,
                     absl::Span<const SegmentFile> files) {
  for (const SegmentFile& file : files) {
    absl::Status status = TakeOwnName(directory, file);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CarryOut(Directory& directory, const SwapPlan& plan) {
  absl::Status status = RemoveAll(directory, plan.undone);
  if (status.ok()) status = RemoveAll(directory, plan.removed);
  if (status.ok()) status = NameAll(directory, plan.named_logs);
  if (status.ok()) status = directory.Sync();
  if (status.ok()) status = NameAll(directory, plan.named_files);
  for (const int64_t base_offset : plan.named_sidecars) {
    if (status.ok()) status = TakeSidecarName(directory, base_offset);
  }
  return status.ok() ? directory.Sync() : status;
}

absl::StatusOr<bool> RecoverSwaps(Directory& directory,
                                  absl::Span<const std::string> names) {
  const absl::StatusOr<SwapPlan> plan = PlanSwaps(
      names, [&](int64_t base_offset) { return EndOf(directory, base_offset); },
      [&](int64_t base_offset) { return IsSidecarOf(directory, base_offset); });
  if (!plan.ok()) return plan.status();
  if (plan->empty()) return false;
  absl::Status status = CarryOut(directory, *plan);
  if (!status.ok()) return status;
  return true;
}

}  // namespace varve
