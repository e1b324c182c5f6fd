// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_METRICS_SNAPSHOT_H_
#define VARVE_TOOLS_METRICS_SNAPSHOT_H_

#include <string>

#include "absl/status/statusor.h"
#include "tools/command_line.h"
#include "tools/metrics_text.h"

namespace varve {

// The text of the last snapshot that a writer left of its metrics.
//
// Errors: NotFound when there is no store, or no snapshot: the message says
// which; those of the file.
absl::StatusOr<std::string> ReadMetricsFile(const GlobalOptions& global);

// What a snapshot's text says. Errors: DataLoss, with a way out.
absl::StatusOr<MetricsText> ParseMetricsFile(const GlobalOptions& global,
                                             const std::string& text);

}  // namespace varve

#endif  // VARVE_TOOLS_METRICS_SNAPSHOT_H_
