// SPDX-License-Identifier: Apache-2.0

#include "varve/api/topic_changes.h"

#include <set>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/log/metadata/log_config.h"

namespace varve {

absl::StatusOr<LogConfig> WithChanges(const LogConfig& config,
                                      const TopicChanges& changes) {
  LogConfig next = config;
  std::set<std::string_view> changed;
  for (const auto& [name, value] : changes.set) {
    if (absl::Status status = next.Set(name, value); !status.ok())
      return status;
    if (changed.insert(name).second) continue;
    return absl::InvalidArgumentError(absl::StrCat(name, ": set twice"));
  }
  for (const std::string_view name : changes.reset) {
    if (absl::Status status = next.Reset(name); !status.ok()) return status;
    if (changed.insert(name).second) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": changed twice, and reset the last time"));
  }
  if (absl::Status status = next.Validate(); !status.ok()) return status;
  return next;
}

}  // namespace varve
