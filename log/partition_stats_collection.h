// SPDX-License-Identifier: Apache-2.0

// How a partition's log collects its PartitionStats.

#ifndef VARVE_LOG_PARTITION_STATS_COLLECTION_H_
#define VARVE_LOG_PARTITION_STATS_COLLECTION_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "log/file_system.h"
#include "log/leader_epochs.h"
#include "log/log_ends.h"
#include "log/log_reader.h"
#include "log/partition_meters.h"
#include "log/partition_stats.h"
#include "log/segment_facts.h"
#include "log/segment_list.h"

namespace varve {

// What is known without a look at files. Call it with the partition's writer
// lock held, so that its parts go together.
PartitionStats StatsInMemory(const LogEnds& ends, const LeaderEpochs& epochs,
                             const PartitionMeters& meters,
                             const absl::Status& failure);

// Those with sizes and times.
//
// Errors: those of the files.
absl::StatusOr<PartitionStats> AddFileStats(Directory& directory,
                                            const SegmentList& segments,
                                            SegmentFacts& facts,
                                            const LogReader& reader,
                                            PartitionStats stats);

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_STATS_COLLECTION_H_
