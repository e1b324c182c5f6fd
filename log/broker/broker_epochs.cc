// SPDX-License-Identifier: Apache-2.0

#include "varve/log/broker/broker_epochs.h"

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/continuity.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/leader_epoch_checkpoint.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/recovery/segment_listing.h"
#include "varve/log/segment/file_batch_scanner.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// Adds the epochs of the segment's batches below offset `end`. Damage is passed
// over.
absl::Status Collect(File& log, int64_t base_offset, int64_t end,
                     LeaderEpochs& epochs) {
  const absl::StatusOr<int64_t> size = log.Size();
  if (!size.ok()) return size.status();
  FileBatchScanner scanner(log, *size,
                           {.position = 0, .base_offset = base_offset},
                           {.continuity = Continuity::kGapsAllowed});
  do {
    while (const RecordBatch* batch = scanner.Peek()) {
      if (batch->base_offset() >= end) return absl::OkStatus();
      // Epochs never go down: a lower one is damage.
      if (batch->leader_epoch() > epochs.highest().value_or(-1))
        epochs.Assign(batch->leader_epoch(), batch->base_offset());
      scanner.Advance();
    }
    if (!scanner.status().ok()) return scanner.status();
  } while (scanner.ResumeBehind());
  return scanner.status();
}

// Those of all batches below offset `end`.
absl::StatusOr<LeaderEpochs> CollectBefore(Directory& partition, int64_t end) {
  const absl::StatusOr<std::vector<int64_t>> bases = ListSegments(partition);
  if (!bases.ok()) return bases.status();
  LeaderEpochs epochs;
  for (const int64_t base_offset : *bases) {
    if (base_offset >= end) break;
    absl::StatusOr<std::unique_ptr<File>> log = partition.OpenFile(
        SegmentFileName(base_offset, SegmentFileKind::kLog), OpenMode::kRead);
    if (!log.ok()) return log.status();
    absl::Status status = Collect(**log, base_offset, end, epochs);
    if (!status.ok()) return status;
  }
  return epochs;
}

}  // namespace

absl::StatusOr<LeaderEpochs> ReadBrokerEpochs(Directory& partition) {
  absl::StatusOr<LeaderEpochs> checkpoint =
      ReadLeaderEpochCheckpoint(partition);
  if (absl::IsNotFound(checkpoint.status()) ||
      absl::IsDataLoss(checkpoint.status())) {
    checkpoint = LeaderEpochs();
  }
  if (!checkpoint.ok()) return checkpoint;
  const int64_t first = checkpoint->entries().empty()
                            ? std::numeric_limits<int64_t>::max()
                            : checkpoint->entries().front().start_offset;
  absl::StatusOr<LeaderEpochs> epochs = CollectBefore(partition, first);
  if (!epochs.ok()) return epochs;
  // An entry whose epoch is known already, from before its start, stays there.
  for (const LeaderEpoch& entry : checkpoint->entries())
    epochs->Assign(entry.epoch, entry.start_offset);
  return epochs;
}

absl::StatusOr<LeaderEpochs> CollectBrokerEpochs(Directory& partition) {
  return CollectBefore(partition, std::numeric_limits<int64_t>::max());
}

}  // namespace varve
