// SPDX-License-Identifier: Apache-2.0

#include "varve/api/partitions/recovery_notices.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/base/log_severity.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "varve/log/recovery/partition_recovery_report.h"
#include "varve/log/recovery/tail_recovery.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/log_sink.h"

namespace varve {
namespace {

bool IsDamage(RecoveryAction action) {
  return action == RecoveryAction::kKeepDamaged ||
         action == RecoveryAction::kCutAmbiguous;
}

void Tell(const Environment& environment, absl::LogSeverity severity,
          std::string_view path, const std::string& text) {
  environment.Log({.severity = severity,
                   .event = LogEvent::kRecovery,
                   .path = path,
                   .text = text,
                   .code = severity == absl::LogSeverity::kError
                               ? absl::StatusCode::kDataLoss
                               : absl::StatusCode::kOk});
}

}  // namespace

void TellRecovery(const Environment& environment,
                  const PartitionRecoveryReport& recovery) {
  for (const std::string& note : recovery.notes) {
    Tell(environment, absl::LogSeverity::kInfo, recovery.path,
         absl::StrContains(note, recovery.path)
             ? note
             : absl::StrCat(recovery.path, ": ", note));
  }
  int told = 0;
  for (const RecoveryFinding& finding : recovery.findings) {
    if (told++ == kFindingsTold) break;
    Tell(environment,
         IsDamage(finding.action) ? absl::LogSeverity::kError
                                  : absl::LogSeverity::kWarning,
         finding.path, finding.ToString());
  }
  const int64_t untold = static_cast<int64_t>(recovery.findings.size()) +
                         recovery.more_findings - kFindingsTold;
  if (untold > 0) {
    Tell(environment, absl::LogSeverity::kError, recovery.path,
         absl::StrCat(recovery.path, ": and ", untold,
                      " more places; the recovery report names them"));
  }
}

}  // namespace varve
