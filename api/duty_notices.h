// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_DUTY_NOTICES_H_
#define VARVE_API_DUTY_NOTICES_H_

#include <string_view>

#include "absl/status/status.h"
#include "log/environment.h"
#include "log/log_meters.h"

namespace varve {

// Counts a failure of background work that is tried again, and tells the log
// sink `what` it was and why.
void NoteDutyFailure(const Environment& environment, LogMeters& meters,
                     std::string_view what, const absl::Status& status);

}  // namespace varve

#endif  // VARVE_API_DUTY_NOTICES_H_
