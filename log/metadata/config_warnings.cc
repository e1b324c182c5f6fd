// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/config_warnings.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "varve/log/metadata/log_config.h"

namespace varve {
namespace {

// The configs that are checked, stored and returned, but do nothing.
// Invariant: those that the comment of LogConfig lists.
constexpr std::array<std::pair<std::string_view, std::string_view>, 1> kInert =
    {{{"preallocate", "does nothing: blocks are always allocated ahead"}}};

std::string_view WarningOf(std::string_view name) {
  for (const auto& [inert, why] : kInert) {
    if (inert == name) return why;
  }
  return "";
}

}  // namespace

std::vector<std::string> ConfigWarnings(const LogConfig& config) {
  std::vector<std::string> warnings;
  for (const auto& [name, value] : config.NonDefault()) {
    const std::string_view why = WarningOf(name);
    if (!why.empty())
      warnings.push_back(absl::StrCat(name, "=", value, " ", why));
  }
  return warnings;
}

}  // namespace varve
