// SPDX-License-Identifier: Apache-2.0

#include "varve/log/recovery/partition_recovery_report.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "varve/log/recovery/recovery_action.h"

namespace varve {

std::string RecoveryFinding::ToString() const {
  std::string text = absl::StrCat(path, ": position ", position);
  if (offset != kNoOffset) absl::StrAppend(&text, ", offset ", offset);
  absl::StrAppend(&text, ": ", RecoveryActionText(action));
  if (!detail.empty()) absl::StrAppend(&text, " (", detail, ")");
  if (bytes > 0) absl::StrAppend(&text, ", ", bytes, " bytes");
  if (next_offset > offset) {
    absl::StrAppend(&text, "; offsets ", offset, " to ", next_offset - 1,
                    " are not readable");
  }
  if (!set_aside.empty()) absl::StrAppend(&text, "; kept in ", set_aside);
  return text;
}

void PartitionRecoveryReport::AddFinding(RecoveryFinding finding) {
  if (findings.size() == kFindingsMax) {
    ++more_findings;
  } else {
    findings.push_back(std::move(finding));
  }
}

bool PartitionRecoveryReport::has_damage() const {
  for (const RecoveryFinding& finding : findings) {
    if (finding.action == RecoveryAction::kCutAmbiguous ||
        finding.action == RecoveryAction::kKeepDamaged) {
      return true;
    }
  }
  return false;
}

}  // namespace varve
