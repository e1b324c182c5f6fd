// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METADATA_PARTITION_STATS_H_
#define VARVE_LOG_METADATA_PARTITION_STATS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/metadata/pin_counts.h"

namespace varve {

// The part of PartitionStats that only the writing process knows.
struct PartitionWriterStats {
  // Bytes of batches that no completed sync covers. After a failed sync they
  // stay uncovered until the store is opened again.
  int64_t unsynced_bytes = 0;
  PinCounts pins = {};
  // Appends, since the store was opened, that waited for a deletion because the
  // partition exceeded retention.bytes by two segments.
  int64_t retention_waits = 0;
  // Whether a read at ReadLevel::kDefault ends at the durable end: true until
  // the first append that is not kSynced.
  bool reads_durable_only = false;
  // Why the partition takes no more appends and syncs; OK while it takes them.
  absl::Status failure = absl::OkStatus();
};

// One partition at one moment: where it begins and ends, the disk space it
// uses, and the times of its records. A plain value.
//
// Counts may be off by calls that are under way.
struct PartitionStats {
  // log_start <= durable_end <= visible_end. Seen from another process than the
  // writer's, the durable end is a lower bound, a second late at most.
  int64_t log_start = 0;
  int64_t durable_end = 0;
  int64_t visible_end = 0;

  int64_t segments = 0;
  // Bytes of the batches in them, headers included, also of batches below the
  // log start in the first segment.
  int64_t batch_bytes = 0;

  // How far it is compacted, if its topic ever was: everything below
  // `clean_end` is, the log start when nothing is. Bytes of the batches of
  // segments that begin before it and from it on, but for the active segment,
  // which is never compacted. Not all that is dirty may be compacted at once:
  // min.compaction.lag.ms and open transactions put it off.
  int64_t clean_end = 0;
  int64_t clean_bytes = 0;
  int64_t dirty_bytes = 0;
  // What min.cleanable.dirty.ratio is compared with, 0 to 1.
  double dirty_ratio() const;
  // Adds a segment that is not the active one.
  void AddSealed(int64_t base_offset, int64_t size_bytes) {
    (base_offset < clean_end ? clean_bytes : dirty_bytes) += size_bytes;
  }

  // Bytes of the disk blocks that all files of the partition use, with indexes,
  // blocks allocated ahead of the appends, and files that recovery set aside.
  int64_t disk_bytes = 0;

  // The incarnations that wrote it, oldest first: log/metadata/leader_epochs.h.
  // The last one is the highest.
  std::vector<LeaderEpoch> epochs = {};

  // The time of the first record of the first batch, and the largest time of
  // the last batch. Programs choose timestamps, so others may be earlier or
  // later. Nothing for an empty log, a batch without a time, or a bad one.
  std::optional<absl::Time> oldest_time = {};
  std::optional<absl::Time> newest_time = {};

  // Nothing when another process may be writing.
  std::optional<PartitionWriterStats> writer = {};
};

// Fills in the times, from the batches at the log start and before the visible
// end, which `read` returns by offset.
void FillTimes(absl::FunctionRef<absl::StatusOr<RecordBatches>(int64_t)> read,
               PartitionStats& stats);

}  // namespace varve

#endif  // VARVE_LOG_METADATA_PARTITION_STATS_H_
