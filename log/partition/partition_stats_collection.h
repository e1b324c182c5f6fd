// SPDX-License-Identifier: Apache-2.0

// How a partition's log collects its PartitionStats.

#ifndef VARVE_LOG_PARTITION_PARTITION_STATS_COLLECTION_H_
#define VARVE_LOG_PARTITION_PARTITION_STATS_COLLECTION_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/metadata/partition_stats.h"
#include "varve/log/partition/partition_meters.h"
#include "varve/log/partition/partition_reader.h"
#include "varve/log/partition/watermarks.h"
#include "varve/log/retention/retention_segments.h"
#include "varve/log/segment/segment_list.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The statistics that are known without reading files. Call it with the
// partition's writer lock held, so that its parts agree.
PartitionStats StatsInMemory(const Watermarks& ends, const LeaderEpochs& epochs,
                             const PartitionMeters& meters,
                             const absl::Status& failure);

// Adds sizes and times to `stats`.
//
// Errors: file errors (log/system/errno_status.h).
absl::StatusOr<PartitionStats> AddFileStats(Directory& directory,
                                            const SegmentList& segments,
                                            RetentionSegments& facts,
                                            const PartitionReader& reader,
                                            PartitionStats stats);

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_PARTITION_STATS_COLLECTION_H_
