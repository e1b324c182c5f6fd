// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_RECOVERY_RECOVERY_ACTION_H_
#define VARVE_LOG_RECOVERY_RECOVERY_ACTION_H_

#include <string_view>

namespace varve {

// What recovery does where the scan of a segment stops
// (log/recovery/tail_recovery.h decides), and what a finding says was done.
enum class RecoveryAction {
  // The log, or this segment of it, ends here as it should. Nothing to do.
  kKeepAll,
  // Trim the zeros: they hold nothing.
  kTrimZeros,
  // A torn tail: an append that the crash interrupted, never acknowledged as
  // durable. Set the bytes aside, then cut.
  kCutTornTail,
  // Ambiguous: pages written out of order by a power loss, or damage to records
  // that were not yet durable. A log has no gaps, so it is cut here; whole
  // batches are among the bytes that are set aside.
  kCutAmbiguous,
  // Corruption of durable records, or records that may have been durable and
  // are missing. Keep every byte; reads of the damaged offsets fail, reads
  // before and after them succeed, and the log continues after them.
  kKeepDamaged,
};

// A phrase for messages and reports.
std::string_view RecoveryActionText(RecoveryAction action);

}  // namespace varve

#endif  // VARVE_LOG_RECOVERY_RECOVERY_ACTION_H_
