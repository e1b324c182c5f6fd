// SPDX-License-Identifier: Apache-2.0

#include "varve/log/export/export_comparison.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/continuity.h"
#include "varve/log/metadata/log_bounds.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/metadata/sealed_access.h"
#include "varve/log/read_only/read_only_log.h"
#include "varve/log/read_only/read_only_partition_reader.h"
#include "varve/log/recovery/segment_listing.h"
#include "varve/log/system/clock.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

constexpr ReadOptions kLastBatch = {.max_bytes = 0,
                                    .level = ReadLevel::kVisible,
                                    .decompression = Decompression::kLeave};

// All that is not in the store by its own right: the epoch is reset.
std::string WithoutEpoch(std::string_view batch) {
  std::string bytes(batch);
  bytes.replace(batch_layout::kLeaderEpoch, sizeof(int32_t), sizeof(int32_t),
                '\0');
  return bytes;
}

}  // namespace

absl::StatusOr<bool> IsExportOf(std::unique_ptr<Directory> exported,
                                ReadOnlyPartitionReader& store, Clock* clock) {
  const absl::StatusOr<std::vector<int64_t>> bases = ListSegments(*exported);
  if (!bases.ok()) return bases.status();
  if (bases->empty()) return false;
  const int64_t begin = bases->front();
  const PartitionFacts facts = {
      .checkpoint = {.log_start = begin,
                     .recovery_point = begin,
                     .origin = CheckpointOrigin::kStandIn},
      .continuity = Continuity::kGapsAllowed};
  ReadOnlyPartitionReader reader(
      std::move(exported), {.outline = [facts](FactsAge) { return facts; },
                            .clock = clock,
                            .sealed = SealedAccess::kRead});
  const absl::StatusOr<LogBounds> theirs = reader.Bounds();
  const absl::StatusOr<LogBounds> ours = store.Bounds();
  if (!theirs.ok()) return theirs.status();
  if (!ours.ok()) return ours.status();
  if (theirs->visible_end != ours->visible_end || begin > ours->log_start)
    return false;
  if (ours->log_start == ours->visible_end) return true;
  const absl::StatusOr<RecordBatches> their_last =
      reader.Read(theirs->visible_end - 1, kLastBatch);
  const absl::StatusOr<RecordBatches> our_last =
      store.Read(ours->visible_end - 1, kLastBatch);
  if (!their_last.ok() || !our_last.ok()) return false;
  return !their_last->bytes().empty() && !our_last->bytes().empty() &&
         WithoutEpoch(their_last->bytes()) == WithoutEpoch(our_last->bytes());
}

}  // namespace varve
