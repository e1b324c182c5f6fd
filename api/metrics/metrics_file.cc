// SPDX-License-Identifier: Apache-2.0

#include "varve/api/metrics/metrics_file.h"

#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include "absl/base/log_severity.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "varve/api/prometheus_text.h"
#include "varve/api/store_metrics.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/log_sink.h"

namespace varve {
namespace {

// The metrics without the time they were taken at, and without what other
// programs change, which do not count as a change.
StoreMetrics Timeless(StoreMetrics metrics) {
  metrics.taken_at = absl::InfinitePast();
  metrics.is_open = true;
  metrics.disk.free_bytes = 0;
  return metrics;
}

}  // namespace

MetricsFile::MetricsFile(std::shared_ptr<Directory> directory, Take take,
                         const Environment& environment,
                         absl::Duration interval)
    : directory_(std::move(directory)),
      take_(std::move(take)),
      environment_(environment),
      interval_(interval),
      due_(environment_.clock->Steady() + interval),
      last_(Timeless(take_())) {}

absl::Time MetricsFile::Run(const std::stop_token& /*stop*/) {
  const absl::Time now = environment_.clock->Steady();
  if (now < due_) return due_;
  due_ = now + interval_;
  WriteIfChanged();
  return due_;
}

void MetricsFile::WriteIfChanged() {
  const StoreMetrics metrics = take_();
  StoreMetrics timeless = Timeless(metrics);
  const bool closes = has_written_ && !metrics.is_open;
  if (timeless == last_ && !closes) return;
  const absl::Status status =
      ReplaceFileUnsynced(*directory_, kMetricsName, ToPrometheusText(metrics));
  if (status.ok()) {
    last_ = std::move(timeless);
    has_written_ = true;
  }
  if (!status.ok() && !failing_) {
    const std::string text = status.ToString();
    environment_.Log({.severity = absl::LogSeverity::kWarning,
                      .event = LogEvent::kBackground,
                      .path = directory_->path(),
                      .text = text,
                      .code = status.code()});
  }
  failing_ = !status.ok();
}

}  // namespace varve
