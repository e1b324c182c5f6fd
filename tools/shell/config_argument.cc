// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/config_argument.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace varve {

absl::StatusOr<std::pair<std::string, std::string>> ParseConfigArgument(
    const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == text.npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("--config ", text, ": no \"=\" in it; write name=value"));
  }
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

}  // namespace varve
