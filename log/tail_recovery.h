// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_TAIL_RECOVERY_H_
#define VARVE_LOG_TAIL_RECOVERY_H_

#include <optional>
#include <string_view>

#include "absl/types/span.h"

namespace varve {

// What recovery does where a scan of a segment stops, as a pure table. The
// table and why each row is so stand in log/FORMAT.md, "Recovery"; a test
// goes through every combination.

// Where the log should go on at the stop, seen from the recovery point.
enum class StopRegion {
  // It was durable, so damage is never a crash's doing.
  kBelowRecoveryPoint,
  // Written by varve, which leaves no offset out there.
  kAtOrAboveRecoveryPoint,
  // At or above what recovery point there is, which no sound varve.checkpoint
  // says: another program may have written the log, and compacted it.
  kWithoutCheckpoint,
};

// What stands at the stop.
enum class StopContent {
  kEndOfFile,   // the end of the segment's bytes
  kZerosToEnd,  // allocated, never written, up to the end of the file
  kLaterBatch,  // a whole batch of a later offset than is due
  kBadBatch,    // bytes that are no batch of this log
};

// Where the segment behind the stop begins, seen from the offset that is due.
enum class NextSegment {
  kNone,       // there is none: this is the last one
  kContinues,  // at that offset
  kBehindGap,  // at a later one
  kOverlaps,   // at an earlier one
};

// Whether a whole batch of a known epoch stands anywhere behind the stop, in
// the same segment or a later one.
enum class BatchBehind { kNone, kFound };

enum class RecoveryAction {
  // The log, or this segment of it, ends here as it should. Nothing to do.
  kKeepAll,
  // Trim the zeros: they hold nothing.
  kTrimZeros,
  // A torn tail: an append the crash interrupted, acknowledged to nobody as
  // durable. Set the bytes aside, then cut.
  kCutTornTail,
  // Ambiguous: pages written out of order by a power loss, or damage to
  // records that were not yet durable. A log has no gaps, so it is cut here;
  // whole batches are among what is set aside.
  kCutAmbiguous,
  // Corruption of durable records, or records that may have been durable and
  // are not there. Keep every byte; reads of the damaged offsets fail, reads
  // before and behind succeed, the log goes on behind.
  kKeepDamaged,
};

// A phrase for messages and reports.
std::string_view RecoveryActionText(RecoveryAction action);

// What recovery knows of a stop.
struct RecoveryStop {
  StopRegion region;
  StopContent content;
  NextSegment next;
  BatchBehind behind;
};

// A row of the table: what it is for, and nothing for "any".
struct RecoveryCase {
  std::optional<StopRegion> region;
  std::optional<StopContent> content;
  std::optional<NextSegment> next;
  std::optional<BatchBehind> behind;
  RecoveryAction action;

  bool Matches(const RecoveryStop& stop) const;
};

// In order: the first that matches decides.
absl::Span<const RecoveryCase> RecoveryCases();

// The action of the first case that matches.
RecoveryAction DecideRecovery(const RecoveryStop& stop);

}  // namespace varve

#endif  // VARVE_LOG_TAIL_RECOVERY_H_
