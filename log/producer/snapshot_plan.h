// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PRODUCER_SNAPSHOT_PLAN_H_
#define VARVE_LOG_PRODUCER_SNAPSHOT_PLAN_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace varve {

// What a partition's directory holds, when it is opened.
struct SnapshotFiles {
  // Of the `.snapshot` files, in any order.
  absl::Span<const int64_t> offsets;
  // Of the segments, ascending.
  absl::Span<const int64_t> segment_bases;
  // After recovery: the snapshots of what was cut off are above the end.
  int64_t log_start = 0;
  int64_t log_end = 0;
};

// What an open does with them.
struct SnapshotPlan {
  // The one to load, and those to try, in this order, when it cannot be read:
  // newest first. One that cannot be read is removed, as Kafka does; one of a
  // later version stays. The batches from the offset of the loaded one on are
  // noted; when there is none, those from the log start on.
  std::vector<int64_t> load;
  // Those to remove, ascending. Those above the log end describe batches that
  // are gone: sync the directory before the first append, or a crash could
  // bring them back when the log has passed them with other batches.
  std::vector<int64_t> remove;

  friend bool operator==(const SnapshotPlan&, const SnapshotPlan&) = default;
};

// Kafka's rules: a snapshot is kept at the base offset of a segment, where it
// was written when the segment began; and the newest of all others, if it is
// above the last base: that of a clean close. None is kept above the log end,
// or below the segment of the log start.
//
// Unlike Kafka it keeps one at the log start itself, and at the base of its
// segment: what the producers have done before it is nowhere else.
SnapshotPlan PlanSnapshots(const SnapshotFiles& files);

}  // namespace varve

#endif  // VARVE_LOG_PRODUCER_SNAPSHOT_PLAN_H_
