// SPDX-License-Identifier: Apache-2.0

#include "varve/log/recovery/leader_epoch_collection.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/continuity.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/segment.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// Collects epochs from batches in the order of their offsets. A higher epoch
// counts when the next batch confirms it, because no checksum covers the field.
class EpochCollector {
 public:
  void Add(const RecordBatch& batch) {
    const int32_t epoch = batch.leader_epoch();
    // Epochs never decrease, so this one is ignored.
    if (epoch < std::max(epochs_.highest().value_or(0), 0)) return;
    if (risen_.has_value()) {
      if (epoch >= risen_->epoch) Confirm();
      risen_.reset();
    }
    if (epoch > epochs_.highest().value_or(-1)) {
      risen_ = {.epoch = epoch, .start_offset = batch.base_offset()};
    }
  }

  LeaderEpochs Take() {
    if (risen_.has_value()) Confirm();
    return std::move(epochs_);
  }

 private:
  void Confirm() { epochs_.Assign(risen_->epoch, risen_->start_offset); }

  LeaderEpochs epochs_;
  std::optional<LeaderEpoch> risen_;
};

void CollectFrom(const Segment& segment, EpochCollector& collector) {
  BatchScanner scanner(segment.visible_bytes(),
                       {.position = 0, .base_offset = segment.base_offset()},
                       {.continuity = Continuity::kGapsAllowed});
  while (true) {
    while (const RecordBatch* batch = scanner.Peek()) {
      collector.Add(*batch);
      scanner.Advance();
    }
    const std::optional<BatchPlace> behind = scanner.FindBatchBehind();
    if (!behind.has_value()) return;
    scanner.Resume(*behind);
  }
}

}  // namespace

absl::StatusOr<LeaderEpochs> CollectLeaderEpochs(
    Directory& directory, absl::Span<const int64_t> segment_bases) {
  EpochCollector collector;
  for (int64_t base_offset : segment_bases) {
    absl::StatusOr<std::shared_ptr<Segment>> segment =
        Segment::OpenReadOnly(directory, base_offset);
    if (!segment.ok()) return segment.status();
    CollectFrom(**segment, collector);
  }
  return collector.Take();
}

}  // namespace varve
