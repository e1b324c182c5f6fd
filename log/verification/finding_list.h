// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_VERIFICATION_FINDING_LIST_H_
#define VARVE_LOG_VERIFICATION_FINDING_LIST_H_

#include <cstddef>
#include <utility>
#include <vector>

#include "varve/log/verification/verify_finding.h"

namespace varve {

// The findings of one verification: a bounded number of damage, and all notes.
//
// Thread safety: externally synchronized.
class FindingList {
 public:
  // How much damage is listed at most; notes are not bounded.
  static constexpr size_t kDamageMax = 1000;

  void Add(VerifyFinding finding);

  // Whether no more damage is listed, so that the verification should stop.
  bool is_full() const { return damage_count_ >= kDamageMax; }
  size_t damage_count() const { return damage_count_; }

  const std::vector<VerifyFinding>& findings() const { return findings_; }
  std::vector<VerifyFinding> Take() { return std::move(findings_); }

 private:
  std::vector<VerifyFinding> findings_;
  size_t damage_count_ = 0;
};

}  // namespace varve

#endif  // VARVE_LOG_VERIFICATION_FINDING_LIST_H_
