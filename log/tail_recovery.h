// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_TAIL_RECOVERY_H_
#define VARVE_LOG_TAIL_RECOVERY_H_

#include <cstdint>
#include <string_view>

#include "absl/types/span.h"

namespace varve {

// What recovery does where a scan of a partition stops, as a pure table. The
// table and why each row is so stand in log/FORMAT.md, "Recovery"; a test
// goes through every combination.

// Where the log should go on at the stop, seen from the recovery point: what
// lies below it was durable, so damage there is never a crash's doing.
enum class StopRegion { kBelowRecoveryPoint, kAtOrAboveRecoveryPoint };

// What stands at the stop.
enum class StopContent {
  kEndOfLog,      // the end of the last segment's bytes
  kZerosToEnd,    // allocated, never written, up to the end of the file
  kMissingBatch,  // the segment ends early, or a batch of a later offset stands
                  // here
  kBadBatch,      // bytes that are no batch of this log
};

// Whether a whole batch of a known epoch stands anywhere behind the stop, in
// the same segment or a later one.
enum class BatchBehind { kNone, kFound };

enum class RecoveryAction {
  // The log ends here as it should. Nothing to do.
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
  // Corruption of durable records. Keep every byte; reads of the damaged
  // offsets fail, reads before and behind succeed, the log goes on behind.
  kKeepDamaged,
};

// A phrase for messages and reports.
std::string_view RecoveryActionText(RecoveryAction action);

struct RecoveryCase {
  StopRegion region;
  StopContent content;
  BatchBehind behind;
  RecoveryAction action;
};

// All cases, one for each combination of inputs.
absl::Span<const RecoveryCase> RecoveryCases();

// The action of the one case that matches.
RecoveryAction DecideRecovery(StopRegion region, StopContent content,
                              BatchBehind behind);

}  // namespace varve

#endif  // VARVE_LOG_TAIL_RECOVERY_H_
