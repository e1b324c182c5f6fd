// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/topic_name.h"

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace varve {
namespace {

constexpr size_t kShownMax = 80;

bool IsLegal(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' ||
         c == '_' || c == '-';
}

absl::Status Invalid(std::string_view name, std::string_view why) {
  const std::string_view more = name.size() > kShownMax ? "..." : "";
  return absl::InvalidArgumentError(
      absl::StrCat("topic name \"", absl::CHexEscape(name.substr(0, kShownMax)),
                   more, "\": ", why));
}

}  // namespace

absl::Status ValidateTopicName(std::string_view name) {
  if (name.empty()) return Invalid(name, "it is empty");
  if (name == "." || name == "..") {
    return Invalid(name, "\".\" and \"..\" mean directories");
  }
  if (name.size() > static_cast<size_t>(kTopicNameSizeMax)) {
    return Invalid(
        name, absl::StrCat("it has ", name.size(), " characters, and may have ",
                           kTopicNameSizeMax, " at most"));
  }
  for (size_t i = 0; i < name.size(); ++i) {
    if (IsLegal(name[i])) continue;
    return Invalid(
        name,
        absl::StrCat("the character '", absl::CHexEscape(name.substr(i, 1)),
                     "' at place ", i + 1,
                     " is not one of a-z, A-Z, 0-9, '.', '_', '-'"));
  }
  return absl::OkStatus();
}

bool IsInternalTopicName(std::string_view name) {
  return name == "__consumer_offsets" || name == "__transaction_state";
}

bool TopicNamesCollide(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  const auto plain = [](char c) { return c == '.' ? '_' : c; };
  for (size_t i = 0; i < a.size(); ++i) {
    if (plain(a[i]) != plain(b[i])) return false;
  }
  return true;
}

}  // namespace varve
