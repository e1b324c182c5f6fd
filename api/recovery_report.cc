// SPDX-License-Identifier: Apache-2.0

#include "varve/api/recovery_report.h"

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "varve/log/recovery/partition_recovery_report.h"

namespace varve {

bool RecoveryReport::has_damage() const {
  for (const PartitionRecoveryReport& partition : partitions) {
    if (partition.has_damage()) return true;
  }
  return false;
}

std::string RecoveryReport::ToString() const {
  int64_t bytes_scanned = 0;
  std::string details;
  for (const PartitionRecoveryReport& partition : partitions) {
    bytes_scanned += partition.bytes_scanned;
    for (const RecoveryFinding& finding : partition.findings) {
      absl::StrAppend(&details, "\n  ", finding.ToString());
    }
    if (partition.more_findings > 0) {
      absl::StrAppend(&details, "\n  ", partition.path, ": and ",
                      partition.more_findings, " more findings");
    }
    for (const std::string& note : partition.notes)
      absl::StrAppend(&details, "\n  ", note);
  }
  for (const std::string& note : notes) absl::StrAppend(&details, "\n  ", note);
  if (clean && details.empty()) return "closed cleanly; nothing to recover";
  return absl::StrCat(
      clean ? "closed cleanly" : "not closed cleanly", "; ", partitions.size(),
      partitions.size() == 1 ? " partition" : " partitions", " recovered, ",
      bytes_scanned, " bytes of batches scanned",
      details.empty() ? "; nothing was lost" : ":", details);
}

}  // namespace varve
