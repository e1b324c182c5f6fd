// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_RECOVERY_TAIL_RECOVERY_H_
#define VARVE_LOG_RECOVERY_TAIL_RECOVERY_H_

#include <optional>

#include "absl/types/span.h"
#include "varve/log/recovery/recovery_action.h"

namespace varve {

// What recovery does where a scan of a segment stops, as a pure table.
// log/FORMAT.md, "Recovery", has the table and the reasons of its rows; a test
// checks every combination.

// Where the offset that is due at the stop lies, seen from the recovery point.
enum class StopRegion {
  // It was durable, so a crash never explains damage.
  kBelowRecoveryPoint,
  // Written by varve, which leaves no offset out there.
  kAtOrAboveRecoveryPoint,
  // At or above a recovery point that is not from a sound varve.checkpoint:
  // another program may have written the log, and compacted it.
  kWithoutCheckpoint,
};

// What is at the stop.
enum class StopContent {
  kEndOfFile,   // the end of the segment's bytes
  kZerosToEnd,  // allocated, never written, up to the end of the file
  kLaterBatch,  // a whole batch of a later offset than is due
  kBadBatch,    // bytes that are no batch of this log
};

// Where the segment after the stop begins, compared with the offset that is
// due.
enum class NextSegment {
  kNone,       // there is none: this is the last one
  kContinues,  // at that offset
  kBehindGap,  // at a later one
  kOverlaps,   // at an earlier one
};

// Whether there is a whole batch of a known epoch anywhere after the stop, in
// the same segment or a later one.
enum class BatchBehind { kNone, kFound };

// The facts of a stop by which recovery decides.
struct RecoveryStop {
  StopRegion region;
  StopContent content;
  NextSegment next;
  BatchBehind behind;
};

// A row of the table: the stops it is for, with nothing for "any", and the
// action.
struct RecoveryCase {
  std::optional<StopRegion> region;
  std::optional<StopContent> content;
  std::optional<NextSegment> next;
  std::optional<BatchBehind> behind;
  RecoveryAction action;

  bool Matches(const RecoveryStop& stop) const;
};

// The rows, in order: the first that matches decides.
absl::Span<const RecoveryCase> RecoveryCases();

// The action of the first case that matches.
RecoveryAction DecideRecovery(const RecoveryStop& stop);

}  // namespace varve

#endif  // VARVE_LOG_RECOVERY_TAIL_RECOVERY_H_
