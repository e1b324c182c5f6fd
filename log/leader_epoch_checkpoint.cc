// SPDX-License-Identifier: Apache-2.0

#include "log/leader_epoch_checkpoint.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "log/atomic_file.h"
#include "log/batch_scanner.h"
#include "log/file_system.h"
#include "log/leader_epochs.h"
#include "log/record_batch.h"
#include "log/segment.h"
#include "log/segment_name.h"

namespace varve {
namespace {

// An entry takes at most 31 bytes, and an epoch begins with an unclean open.
constexpr int64_t kCheckpointSizeMax = int64_t{64} << 20;

// Reads epochs off batches in the order of their offsets. A rise counts when
// the next batch confirms it: the field has no checksum of its own.
class EpochCollector {
 public:
  void Add(const RecordBatch& batch) {
    const int32_t epoch = batch.leader_epoch();
    // Epochs never go down, so this one says nothing.
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

absl::StatusOr<LeaderEpochs> ReadLeaderEpochCheckpoint(Directory& directory) {
  absl::StatusOr<std::string> text =
      ReadWholeFile(directory, kLeaderEpochCheckpointName, kCheckpointSizeMax);
  if (!text.ok()) return text.status();
  absl::StatusOr<LeaderEpochs> epochs = LeaderEpochs::FromText(*text);
  if (epochs.ok()) return epochs;
  return absl::DataLossError(absl::StrCat(directory.path(), "/",
                                          kLeaderEpochCheckpointName, ": ",
                                          epochs.status().message()));
}

absl::Status WriteLeaderEpochCheckpoint(Directory& directory,
                                        const LeaderEpochs& epochs) {
  return ReplaceFile(directory, kLeaderEpochCheckpointName, epochs.ToText());
}

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
