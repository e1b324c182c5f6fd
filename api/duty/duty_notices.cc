// SPDX-License-Identifier: Apache-2.0

#include "varve/api/duty/duty_notices.h"

#include <string>
#include <string_view>

#include "absl/base/log_severity.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "varve/log/partition/log_meters.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/log_sink.h"

namespace varve {

void NoteDutyFailure(const Environment& environment, LogMeters& meters,
                     std::string_view what, const absl::Status& status) {
  meters.duty_errors.Add(status);
  const std::string text = absl::StrCat(what, ": ", status.ToString());
  environment.Log({.severity = absl::LogSeverity::kWarning,
                   .event = LogEvent::kBackground,
                   .text = text,
                   .code = status.code()});
}

}  // namespace varve
