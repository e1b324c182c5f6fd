// SPDX-License-Identifier: Apache-2.0

#include "varve/api/partitions/retention_notices.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/base/log_severity.h"
#include "absl/strings/str_cat.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/log_sink.h"

namespace varve {

std::string_view DirectoryNameOf(const PartitionLog& log) {
  const std::string_view path = log.path();
  return path.substr(path.rfind('/') + 1);
}

void TellGivenUp(const Environment& environment, const PartitionLog& log,
                 int64_t log_start_before) {
  const int64_t log_start = log.log_start();
  if (log_start == log_start_before) return;
  const std::string text =
      absl::StrCat(DirectoryNameOf(log), ": retention gives up offsets ",
                   log_start_before, " to ", log_start - 1);
  environment.Log({.severity = absl::LogSeverity::kInfo,
                   .event = LogEvent::kRetention,
                   .path = log.path(),
                   .text = text});
}

}  // namespace varve
