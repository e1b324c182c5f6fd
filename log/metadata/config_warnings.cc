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

constexpr std::string_view kNoCompaction =
    "does nothing: this version does not compact";

// The configs that are checked, stored and returned, but do nothing.
// Invariant: those that the comment of LogConfig lists, except cleanup.policy.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kInert =
    {{
        {"preallocate", "does nothing: blocks are always allocated ahead"},
        {"delete.retention.ms", kNoCompaction},
        {"min.compaction.lag.ms", kNoCompaction},
        {"max.compaction.lag.ms", kNoCompaction},
        {"min.cleanable.dirty.ratio", kNoCompaction},
    }};

// Empty when the whole policy has an effect.
std::string_view PolicyWarning(CleanupPolicy policy) {
  switch (policy) {
    case CleanupPolicy::kDelete:
      return "";
    case CleanupPolicy::kCompact:
      return "does nothing: this version does not compact, and retention.ms "
             "and retention.bytes do not delete with it, so the topic only "
             "grows";
    case CleanupPolicy::kCompactAndDelete:
      return "only deletes: this version does not compact";
  }
  return "";
}

std::string_view WarningOf(std::string_view name, const LogConfig& config) {
  if (name == "cleanup.policy") return PolicyWarning(config.cleanup_policy);
  for (const auto& [inert, why] : kInert) {
    if (inert == name) return why;
  }
  return "";
}

}  // namespace

std::vector<std::string> ConfigWarnings(const LogConfig& config) {
  std::vector<std::string> warnings;
  for (const auto& [name, value] : config.NonDefault()) {
    const std::string_view why = WarningOf(name, config);
    if (!why.empty())
      warnings.push_back(absl::StrCat(name, "=", value, " ", why));
  }
  return warnings;
}

}  // namespace varve
