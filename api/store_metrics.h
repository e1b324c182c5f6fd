// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_STORE_METRICS_H_
#define VARVE_API_STORE_METRICS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "varve/log/metadata/pin_counts.h"
#include "varve/log/metadata/topic_partition.h"
#include "varve/log/meters/distribution.h"
#include "varve/log/meters/error_counts.h"

namespace varve {

// Appends and reads, since the store was opened.
struct TrafficMetrics {
  // Batches appended; an `Append` of a record is a batch of its own. Those that
  // became visible although a sync failed are included.
  int64_t appends = 0;
  int64_t appended_records = 0;
  int64_t appended_bytes = 0;  // of batches, headers included
  // Reads that returned something; those at the visible end do not count.
  int64_t reads = 0;
  int64_t read_bytes = 0;  // of batches that the reads' views show

  void Add(const TrafficMetrics& other);
  friend bool operator==(const TrafficMetrics&,
                         const TrafficMetrics&) = default;
};

// What one partition currently holds back.
struct PartitionHoldings {
  int64_t unsynced_bytes = 0;  // of batches that no completed sync covers
  PinCounts pins = {};

  bool empty() const { return *this == PartitionHoldings(); }
  void Add(const PartitionHoldings& other);
  friend bool operator==(const PartitionHoldings&,
                         const PartitionHoldings&) = default;
};

// How a store keeps within its disk: StoreOptions::free_space_floor_bytes and
// store_size_max_bytes. What belongs to an option that is not set is 0.
struct DiskMetrics {
  int64_t free_bytes = 0;  // when the store last looked
  int64_t free_space_floor_bytes = 0;
  int64_t free_space_resume_bytes = 0;
  // Whether appends that need more of the disk are refused, and how many were.
  // They are among the append errors, too.
  bool refuses_appends = false;
  int64_t refused_appends = 0;

  int64_t store_size_bytes = 0;  // when the store last looked
  int64_t store_size_max_bytes = 0;
  // Segments that this limit has deleted, and the bytes of their batches.
  int64_t size_deleted_segments = 0;
  int64_t size_deleted_bytes = 0;

  friend bool operator==(const DiskMetrics&, const DiskMetrics&) = default;
};

// What compaction by key has done since the store was opened, in the background
// and by CompactTopic.
struct CompactionMetrics {
  // Time of compactions that ended well, of one partition each; and how many of
  // them had more keys than StoreOptions::compaction_map_bytes has room for, so
  // that another one had to go on.
  Distribution compaction_ns;
  int64_t partial = 0;
  int64_t replaced_segments = 0;
  int64_t read_bytes = 0;  // what is dirty counts twice
  int64_t written_bytes = 0;
  // What is gone. A delete horizon can make a segment longer, so a compaction
  // that removes little may add bytes.
  int64_t removed_records = 0;
  int64_t removed_bytes = 0;

  // As of the last time that the background looked: partitions that were due,
  // those that it leaves alone for a while since their compaction has failed
  // (duty_errors), and the largest dirty ratio, 0 to 1.
  int64_t due_partitions = 0;
  int64_t failing_partitions = 0;
  double dirty_ratio_max = 0;

  friend bool operator==(const CompactionMetrics&,
                         const CompactionMetrics&) = default;
};

// How far a consumer group is behind in one partition.
struct GroupLag {
  std::string group;
  TopicPartition partition;
  int64_t offset = 0;  // committed: the next record that it has to read
  // Records from there to the visible end, those that were deleted since its
  // commit included.
  int64_t lag = 0;

  friend bool operator==(const GroupLag&, const GroupLag&) = default;
};

// Committed offsets that StoreMetrics looks at, at most.
inline constexpr int64_t kGroupLagsMax = 1000;
// Bytes of a group's id, at most, that StoreMetrics has the lag of.
inline constexpr size_t kGroupLagIdSizeMax = 1024;

// What a store has done since it was opened, and holds now: a plain value, as
// LogStore::Metrics returns it. `ToPrometheusText` writes it down for a
// monitor.
//
// Durations are distributions of nanoseconds (log/meters/distribution.h), in
// steps of 12.5 %. Counts that were taken while calls were under way may differ
// from each other by those calls.
struct StoreMetrics {
  absl::Time taken_at;   // by the wall clock
  absl::Time opened_at;  // likewise: counts begin there
  bool is_open = true;   // false: taken after the store was closed

  // Of all topics, those deleted since included; and of each that was used.
  TrafficMetrics traffic;
  std::map<std::string, TrafficMetrics> topics;

  // Time of appends that succeeded, by durability: at kMemory and kInterval of
  // one append in 64, at kSynced of every one, its wait for the sync included.
  // An AppendAsync returns as early as one at kMemory, and counts as such.
  Distribution memory_append_ns;
  Distribution interval_append_ns;
  Distribution synced_append_ns;
  // Time of reads that returned something: of one in 64.
  Distribution read_ns;

  // Appends that failed. ResourceExhausted: the disk was full, and nothing was
  // appended. Unknown, DataLoss, Internal …: the partition's poison.
  ErrorCounts append_errors = {};
  // Reads that failed. DataLoss: a checksum or another check of a batch failed.
  // OutOfRange: below the log start, or past the end.
  ErrorCounts read_errors = {};
  // Syncs that failed, each of which poisoned a partition.
  ErrorCounts sync_errors = {};
  // Partitions that could not be opened or recovered.
  ErrorCounts open_errors = {};
  // Background work that failed and is tried again: checkpoints, retention …
  ErrorCounts duty_errors = {};

  // Times a partition stopped taking appends since a sync or write failed.
  int64_t poisoned_partitions = 0;

  // Time of syncs that succeeded, and the batches that each made durable: the
  // size of group commits. Syncs that had no new batch are in the first alone.
  Distribution sync_ns;
  Distribution sync_batches;
  int64_t synced_bytes = 0;  // of batches

  // Time of rolls, as seen by the append that met them; and how many of them
  // found the next segment ready.
  Distribution roll_ns;
  int64_t ready_rolls = 0;

  // Times an append had to wait for disk blocks, since the prepare duty was not
  // ahead of it.
  int64_t append_allocations = 0;

  // Time of populating pages ahead of appends, a step each, and their bytes.
  Distribution populate_ns;
  int64_t populated_bytes = 0;

  // Calls that currently wait for records or durability in one partition (not
  // in a CursorSet), with the AppendAsync that are not durable yet, and those
  // that ended: with what they waited for, at their deadline, by the store's
  // close.
  int64_t waiters = 0;
  int64_t finished_waits = 0;
  int64_t expired_waits = 0;
  int64_t cancelled_waits = 0;

  // What there is now: partitions opened, and the segments of those.
  int64_t open_partitions = 0;
  int64_t segments = 0;

  // The process's descriptors and mappings that the store holds now. Views,
  // which may outlive what they were read from, are included.
  int64_t open_files = 0;
  int64_t mappings = 0;
  int64_t mapped_bytes = 0;  // address space, not memory

  // What is not durable yet, and what views pin: of the whole store, with the
  // views of topics that are deleted; and of each partition that holds any.
  PartitionHoldings holdings;
  std::map<TopicPartition, PartitionHoldings> partitions;

  // How far groups are behind, as far as the store knows it without reading
  // anything: of groups that belong to a partition of __consumer_offsets from
  // which an offset was asked for, or to which one was committed, since the
  // open, and in partitions that are open. After an unclean shutdown that is
  // all groups. By partition of __consumer_offsets, group, topic and partition.
  // LogStore::DescribeGroup knows the others.
  std::vector<GroupLag> group_lags;
  // Offsets beyond kGroupLagsMax, of which no lag is there.
  int64_t unseen_group_offsets = 0;

  // Segments removed below a log start, by retention or TrimBefore, and the
  // bytes of their batches.
  int64_t deleted_segments = 0;
  int64_t deleted_bytes = 0;

  // Time that appends waited for the deletion of such segments, since their
  // partition was beyond retention.bytes by two of them: one entry a wait.
  Distribution retention_wait_ns;

  CompactionMetrics compaction;

  // Whether a MaintenancePause is in effect.
  bool maintenance_is_paused = false;

  DiskMetrics disk;

  int64_t checkpoints = 0;  // times varve.checkpoint was written

  // Opening: how long `Open` took, bytes of batches that recovery scanned, then
  // and when partitions were opened since, and what it found. Each finding is
  // in the RecoveryReport.
  absl::Duration open_time;
  int64_t recovered_bytes = 0;
  int64_t torn_tails = 0;      // cut, nothing durable was lost
  int64_t ambiguous_cuts = 0;  // cut, with whole batches after
  int64_t corrupt_places = 0;  // durable batches damaged or missing

  friend bool operator==(const StoreMetrics&, const StoreMetrics&) = default;
};

}  // namespace varve

#endif  // VARVE_API_STORE_METRICS_H_
