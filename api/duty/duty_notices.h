// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_DUTY_DUTY_NOTICES_H_
#define VARVE_API_DUTY_DUTY_NOTICES_H_

#include <string_view>

#include "absl/status/status.h"
#include "varve/log/partition/log_meters.h"
#include "varve/log/system/environment.h"

namespace varve {

// Counts a failure of background work that is tried again, and reports to the
// log sink `what` failed and why.
void NoteDutyFailure(const Environment& environment, LogMeters& meters,
                     std::string_view what, const absl::Status& status);

}  // namespace varve

#endif  // VARVE_API_DUTY_DUTY_NOTICES_H_
