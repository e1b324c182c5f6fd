// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_MONITOR_METRICS_SUMMARY_H_
#define VARVE_TOOLS_MONITOR_METRICS_SUMMARY_H_

#include <string>

#include "absl/time/time.h"
#include "varve/api/writer_presence.h"
#include "varve/tools/monitor/metrics_text.h"

namespace varve {

// A snapshot as a page for a person: its age, what was appended to and read
// from each topic, latencies, and failures.
std::string MetricsSummary(const MetricsText& metrics, WriterPresence writer,
                           absl::Time now);

}  // namespace varve

#endif  // VARVE_TOOLS_MONITOR_METRICS_SUMMARY_H_
