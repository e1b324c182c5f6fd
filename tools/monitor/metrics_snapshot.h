// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_MONITOR_METRICS_SNAPSHOT_H_
#define VARVE_TOOLS_MONITOR_METRICS_SNAPSHOT_H_

#include <string>

#include "absl/status/statusor.h"
#include "varve/tools/monitor/metrics_text.h"
#include "varve/tools/shell/command_line.h"

namespace varve {

// The text of the last snapshot that a writer left of its metrics.
//
// Errors: NotFound when there is no store, or no snapshot: the message says
// which; file errors (log/system/errno_status.h).
absl::StatusOr<std::string> ReadMetricsFile(const GlobalOptions& global);

// Parses a snapshot's text. Errors: DataLoss, with a way out.
absl::StatusOr<MetricsText> ParseMetricsFile(const GlobalOptions& global,
                                             const std::string& text);

}  // namespace varve

#endif  // VARVE_TOOLS_MONITOR_METRICS_SNAPSHOT_H_
