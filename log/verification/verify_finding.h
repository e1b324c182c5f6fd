// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_VERIFICATION_VERIFY_FINDING_H_
#define VARVE_LOG_VERIFICATION_VERIFY_FINDING_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

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

  // Damage at `path` that an error reports; the path is not repeated in the
  // text.
  static VerifyFinding FromStatus(std::string_view path,
                                  const absl::Status& status);

  // "PATH: position P: offset O: WHAT: expected E, found F", without empty
  // parts.
  std::string ToString() const;
};

}  // namespace varve

#endif  // VARVE_LOG_VERIFICATION_VERIFY_FINDING_H_
