// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_RECOVERY_NOTICES_H_
#define VARVE_API_RECOVERY_NOTICES_H_

#include "log/environment.h"
#include "log/recovery_report.h"

namespace varve {

// Tells the log sink what opening a partition found: a torn tail as a warning,
// damage as an error, a note as information. Of one partition at most
// kFindingsTold; the RecoveryReport has them all.
inline constexpr int kFindingsTold = 10;
void TellRecovery(const Environment& environment,
                  const PartitionRecovery& recovery);

}  // namespace varve

#endif  // VARVE_API_RECOVERY_NOTICES_H_
