// SPDX-License-Identifier: Apache-2.0

#include "log/verify_finding.h"

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace varve {

VerifyFinding VerifyFinding::FromStatus(std::string_view path,
                                        const absl::Status& status) {
  std::string_view what = status.message();
  absl::ConsumePrefix(&what, absl::StrCat(path, ": "));
  return {.path = std::string(path), .what = std::string(what)};
}

std::string VerifyFinding::ToString() const {
  std::string text = path;
  if (position.has_value()) absl::StrAppend(&text, ": position ", *position);
  if (offset.has_value()) absl::StrAppend(&text, ": offset ", *offset);
  absl::StrAppend(&text, ": ", what);
  if (!expected.empty()) absl::StrAppend(&text, ": expected ", expected);
  if (!found.empty()) {
    absl::StrAppend(&text, expected.empty() ? ": " : ", ", "found ", found);
  }
  return text;
}

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
