// SPDX-License-Identifier: Apache-2.0

#include "varve/log/partition/partition_stats_collection.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/metadata/partition_stats.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/partition/partition_meters.h"
#include "varve/log/partition/partition_reader.h"
#include "varve/log/partition/watermarks.h"
#include "varve/log/retention/retention_policy.h"
#include "varve/log/retention/retention_segments.h"
#include "varve/log/segment/segment_list.h"
#include "varve/log/system/file_system.h"

namespace varve {

PartitionStats StatsInMemory(const Watermarks& ends, const LeaderEpochs& epochs,
                             const PartitionMeters& meters,
                             const absl::Status& failure) {
  // With the lock held nobody moves them.
  CHECK_LE(ends.log_start(), ends.durable());
  CHECK_LE(ends.durable(), ends.visible());
  return {.log_start = ends.log_start(),
          .durable_end = ends.durable(),
          .visible_end = ends.visible(),
          .epochs = epochs.entries(),
          .writer = PartitionWriterStats{
              .unsynced_bytes = meters.unsynced_bytes(),
              .pins = meters.pins().Count(),
              .retention_waits = meters.retention_waits(),
              .reads_durable_only = !ends.has_weak_appends(),
              .failure = failure}};
}

absl::StatusOr<PartitionStats> AddFileStats(Directory& directory,
                                            const SegmentList& segments,
                                            RetentionSegments& facts,
                                            const PartitionReader& reader,
                                            PartitionStats stats) {
  FillTimes(
      [&](int64_t offset) {
        return reader.Read(offset, {.max_bytes = 0,
                                    .crc = CrcCheck::kSkip,
                                    .level = ReadLevel::kVisible,
                                    .decompression = Decompression::kLeave});
      },
      stats);
  // The reads have opened the last segment, so it knows the size of its
  // batches; its file is longer.
  const absl::StatusOr<std::vector<RetentionSegment>> sizes =
      facts.CollectSizes(stats.visible_end);
  if (!sizes.ok()) return sizes.status();
  for (size_t i = 0; i < sizes->size(); ++i) {
    const RetentionSegment& segment = (*sizes)[i];
    stats.batch_bytes += segment.size_bytes;
    if (i + 1 < sizes->size())
      stats.AddSealed(segment.base_offset, segment.size_bytes);
  }
  const absl::StatusOr<int64_t> disk_bytes = directory.DiskBytes();
  if (!disk_bytes.ok()) return disk_bytes.status();
  stats.disk_bytes = *disk_bytes;
  stats.segments = segments.count();
  return stats;
}

}  // namespace varve
