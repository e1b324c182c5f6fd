// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_SHELL_TIME_SPEC_H_
#define VARVE_TOOLS_SHELL_TIME_SPEC_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace varve {

// A time on the command line, in UTC unless it names a zone:
//
//   2026-11-20                 a date: its midnight
//   2026-11-20T10:00           with a time, to the minute, the second or less
//   2026-11-20T10:00:00+01:00  with a zone: RFC 3339
//   1795168800000              milliseconds since 1970, as records have them
//   -7d, -1h30m                that long before `now`, in ms s m h d w
//
// Errors: InvalidArgument that names all of these, to be put after the text.
absl::StatusOr<absl::Time> ParseTimeSpec(std::string_view text, absl::Time now);

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_TIME_SPEC_H_
