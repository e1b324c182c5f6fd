// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_VERIFY_FINDING_H_
#define VARVE_LOG_VERIFY_FINDING_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace varve {

// How bad a finding is.
enum class FindingSeverity {
  kNote,    // worth knowing; nothing is lost
  kDamage,  // the files are not what log/FORMAT.md says they are
};

// One thing that a verification came across, and where.
struct VerifyFinding {
  FindingSeverity severity = FindingSeverity::kDamage;
  std::string path = {};
  std::optional<int64_t> position = {};  // in the file
  std::optional<int64_t> offset = {};    // in the log
  std::string what = {};
  std::string expected = {};  // may be empty, as may `found`
  std::string found = {};

  // Damage at `path` that an error tells of; the path is not said twice.
  static VerifyFinding FromStatus(std::string_view path,
                                  const absl::Status& status);

  // "PATH: position P: offset O: WHAT: expected E, found F", of what there is.
  std::string ToString() const;
};

// The findings of one verification, a bounded number of them.
//
// Thread safety: externally synchronized.
class FindingList {
 public:
  // Damage listed, at most; the notes do not count.
  static constexpr size_t kDamageMax = 1000;

  void Add(VerifyFinding finding);

  // No more damage is taken: time to stop looking.
  bool is_full() const { return damage_count_ >= kDamageMax; }
  size_t damage_count() const { return damage_count_; }

  const std::vector<VerifyFinding>& findings() const { return findings_; }
  std::vector<VerifyFinding> Take() { return std::move(findings_); }

 private:
  std::vector<VerifyFinding> findings_;
  size_t damage_count_ = 0;
};

}  // namespace varve

#endif  // VARVE_LOG_VERIFY_FINDING_H_
