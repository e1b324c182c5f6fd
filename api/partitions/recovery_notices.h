// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_PARTITIONS_RECOVERY_NOTICES_H_
#define VARVE_API_PARTITIONS_RECOVERY_NOTICES_H_

#include "varve/log/recovery/partition_recovery_report.h"
#include "varve/log/system/environment.h"

namespace varve {

// Reports to the log sink what opening a partition found: a torn tail as a
// warning, damage as an error, a note as information. Reports at most
// kFindingsTold of one partition; the RecoveryReport has them all.
inline constexpr int kFindingsTold = 10;
void TellRecovery(const Environment& environment,
                  const PartitionRecoveryReport& recovery);

}  // namespace varve

#endif  // VARVE_API_PARTITIONS_RECOVERY_NOTICES_H_
