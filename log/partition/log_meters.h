// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_LOG_METERS_H_
#define VARVE_LOG_PARTITION_LOG_METERS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <tuple>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/meters/counter.h"
#include "varve/log/meters/error_meter.h"
#include "varve/log/meters/held_files.h"
#include "varve/log/meters/histogram.h"
#include "varve/log/meters/space_refusal.h"

namespace varve {

// The counts that the partitions of one store share, since it was opened: all
// but the appends and reads themselves, which PartitionMeters counts for each
// partition. Shared by the store and its partitions; each event is counted
// where it happens.
//
// Thread safety: thread-safe.
struct LogMeters {
  // One append and one read in this many is timed. A clock costs 23 ns, twice
  // a call; so a call costs 0.7 ns more. Appends at kSynced, which wait for a
  // disk, are all timed.
  static constexpr int64_t kSampledEvery = 64;

  // Nanoseconds of appends that succeeded, by durability, waiting included.
  std::array<Histogram, 3> append_ns;
  static_assert(std::tuple_size_v<decltype(append_ns)> ==
                static_cast<size_t>(Durability::kSynced) + 1);
  Histogram& append_ns_of(Durability durability) {
    return append_ns[static_cast<size_t>(durability)];
  }
  // Nanoseconds of reads that returned something.
  Histogram read_ns;

  ErrorMeter append_errors;
  Counter space_refusals;  // those that IsSpaceRefusal says of
  void NoteAppendFailure(const absl::Status& status) {
    append_errors.Add(status);
    if (IsSpaceRefusal(status)) space_refusals.Add();
  }
  ErrorMeter read_errors;
  ErrorMeter sync_errors;  // those that poisoned a partition
  ErrorMeter open_errors;  // of opening and recovering partitions
  ErrorMeter duty_errors;  // of background work: checkpoints, retention …

  // Partitions that take no more appends because a sync or a write failed.
  Counter poisoned_partitions;

  // Nanoseconds of syncs that succeeded, each with all its files.
  Histogram sync_ns;
  // Batches that became durable with one sync: the size of a group commit.
  Histogram sync_batches;
  Counter synced_bytes;  // of batches

  // Nanoseconds of rolls, measured in the append that rolled the segment.
  Histogram roll_ns;
  Counter ready_rolls;  // those that found a ready segment

  // Steps of disk blocks that an append had to wait for because the prepare
  // duty was not ahead of it.
  Counter append_allocations;

  // Calls that wait for a record or its durability, and appends that wait for
  // their callback.
  Counter waiters;  // currently
  Counter finished_waits;
  Counter expired_waits;
  Counter cancelled_waits;
  // Notes the end of waits that `waiters` counts.
  void NoteWaits(const absl::Status& status, int64_t count) {
    waiters.Add(-count);
    DCHECK_GE(waiters.value(), 0);
    Counter& outcome = absl::IsDeadlineExceeded(status) ? expired_waits
                       : status.ok()                    ? finished_waits
                                                        : cancelled_waits;
    outcome.Add(count);
  }

  // Segments removed below a log start, by retention or by trimming.
  Counter deleted_segments;
  Counter deleted_bytes;  // of their batches

  // Nanoseconds that appends waited for a deletion because their partition
  // exceeded retention.bytes by two segments.
  Histogram retention_wait_ns;

  Counter checkpoints;  // varve.checkpoint written

  std::shared_ptr<HeldFiles> held = std::make_shared<HeldFiles>();
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_LOG_METERS_H_
