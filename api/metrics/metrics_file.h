// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_METRICS_METRICS_FILE_H_
#define VARVE_API_METRICS_METRICS_FILE_H_

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>

#include "absl/time/time.h"
#include "varve/api/duty/duty.h"
#include "varve/api/store_metrics.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The file that shows a live store's metrics to other processes: Prometheus
// text, at the top of the data directory. Kafka ignores it, and so does an
// open.
inline constexpr std::string_view kMetricsName = "varve.metrics";

// Keeps varve.metrics up to date while something changes. It is replaced by a
// rename and never synced, so it costs the disk next to nothing.
//
// A failed write is reported once, and tried again: nothing depends on it.
//
// Thread safety: as Duty; `WriteIfChanged` too, when the duty has been stopped.
class MetricsFile final : public Duty {
 public:
  using Take = std::function<StoreMetrics()>;

  // Writes every `interval` at most, for the first time after one.
  MetricsFile(std::shared_ptr<Directory> directory, Take take,
              const Environment& environment, absl::Duration interval);

  absl::Time Run(const std::stop_token& stop) override;

  // Writes the metrics if they differ from those that were written last, or
  // from those there were at first; and if any were written and the store is
  // closed by now.
  void WriteIfChanged();

 private:
  // Constant after construction.
  const std::shared_ptr<Directory> directory_;
  const Take take_;
  const Environment environment_;
  const absl::Duration interval_;

  // Used by the duty alone.
  absl::Time due_;
  StoreMetrics last_;
  bool has_written_ = false;
  bool failing_ = false;
};

}  // namespace varve

#endif  // VARVE_API_METRICS_METRICS_FILE_H_
