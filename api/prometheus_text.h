// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_PROMETHEUS_TEXT_H_
#define VARVE_API_PROMETHEUS_TEXT_H_

#include <string>
#include <string_view>

#include "varve/api/store_metrics.h"

namespace varve {

// The media type of the text, for a program that serves it over HTTP.
inline constexpr std::string_view kPrometheusMediaType =
    "text/plain; version=0.0.4; charset=utf-8";

// The metrics in Prometheus' text exposition format, version 0.0.4. Names begin
// with `varve_`; units are seconds and bytes; counters end in `_total` and
// begin at 0 with each open of the store. Histograms have a bucket for each
// power of two, exact at its end.
//
// The last line is the sample of `varve_snapshot_time_seconds`, so a text that
// was cut short is known by its absence.
std::string ToPrometheusText(const StoreMetrics& metrics);

}  // namespace varve

#endif  // VARVE_API_PROMETHEUS_TEXT_H_
