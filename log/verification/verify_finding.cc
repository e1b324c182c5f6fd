// SPDX-License-Identifier: Apache-2.0

#include "varve/log/verification/verify_finding.h"

#include <string>
#include <string_view>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace varve {

VerifyFinding VerifyFinding::FromStatus(std::string_view path,
                                        const absl::Status& status) {
  CHECK(!status.ok()) << path;
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

}  // namespace varve
