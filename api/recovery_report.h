// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_RECOVERY_REPORT_H_
#define VARVE_API_RECOVERY_REPORT_H_

#include <string>
#include <vector>

#include "varve/log/recovery/partition_recovery_report.h"

namespace varve {

// What opening a store found and did. After a clean shutdown nothing is
// scanned, and the partitions opened so far are listed; after any other one,
// all of them.
struct RecoveryReport {
  // Whether the store was closed cleanly before.
  bool clean = false;
  std::vector<PartitionRecoveryReport> partitions = {};
  // Notes on the store's own files: what was made again or is left over.
  std::vector<std::string> notes = {};

  // Whether durable records are damaged or missing, or whole batches were cut.
  // A torn tail is no damage: nothing in it was acknowledged as durable.
  bool has_damage() const;

  // Lines for a person; the last one without a line end.
  std::string ToString() const;
};

}  // namespace varve

#endif  // VARVE_API_RECOVERY_REPORT_H_
