// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_METRICS_SUMMARY_H_
#define VARVE_TOOLS_METRICS_SUMMARY_H_

#include <string>

#include "absl/time/time.h"
#include "api/writer_presence.h"
#include "tools/metrics_text.h"

namespace varve {

// A snapshot as a page for a person: how old it is, what each topic took and
// gave, latencies, and what went wrong.
std::string MetricsSummary(const MetricsText& metrics, WriterPresence writer,
                           absl::Time now);

}  // namespace varve

#endif  // VARVE_TOOLS_METRICS_SUMMARY_H_
