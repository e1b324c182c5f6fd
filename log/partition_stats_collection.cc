// SPDX-License-Identifier: Apache-2.0

#include "log/partition_stats_collection.h"

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "log/file_system.h"
#include "log/leader_epochs.h"
#include "log/log_ends.h"
#include "log/log_reader.h"
#include "log/partition_meters.h"
#include "log/partition_stats.h"
#include "log/read_options.h"
#include "log/record_batch.h"
#include "log/segment_facts.h"
#include "log/segment_list.h"

namespace varve {

PartitionStats StatsInMemory(const LogEnds& ends, const LeaderEpochs& epochs,
                             const PartitionMeters& meters,
                             const absl::Status& failure) {
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
                                            SegmentFacts& facts,
                                            const LogReader& reader,
                                            PartitionStats stats) {
  FillTimes(
      [&](int64_t offset) {
        return reader.Read(offset, {.max_bytes = 0,
                                    .crc = CrcCheck::kSkip,
                                    .level = ReadLevel::kVisible});
      },
      stats);
  // The reads have opened the last segment, so it knows its batches' size: its
  // file is longer.
  const absl::StatusOr<int64_t> batch_bytes = facts.TotalBytes();
  if (!batch_bytes.ok()) return batch_bytes.status();
  stats.batch_bytes = *batch_bytes;
  const absl::StatusOr<int64_t> disk_bytes = directory.DiskBytes();
  if (!disk_bytes.ok()) return disk_bytes.status();
  stats.disk_bytes = *disk_bytes;
  stats.segments = segments.count();
  return stats;
}

}  // namespace varve
