// SPDX-License-Identifier: Apache-2.0

#include "varve/log/verification/finding_list.h"

#include <utility>

#include "varve/log/verification/verify_finding.h"

namespace varve {

void FindingList::Add(VerifyFinding finding) {
  if (finding.severity == FindingSeverity::kDamage) {
    if (is_full()) return;
    ++damage_count_;
  }
  findings_.push_back(std::move(finding));
  if (damage_count_ == kDamageMax &&
      findings_.back().severity == FindingSeverity::kDamage) {
    findings_.push_back({.severity = FindingSeverity::kNote,
                         .path = findings_.back().path,
                         .what = "there may be more: the list ends here"});
  }
}

}  // namespace varve
