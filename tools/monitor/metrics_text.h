// SPDX-License-Identifier: Apache-2.0

// Reads the contents of varve.metrics.

#ifndef VARVE_TOOLS_MONITOR_METRICS_TEXT_H_
#define VARVE_TOOLS_MONITOR_METRICS_TEXT_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace varve {

struct MetricSample {
  std::string name;
  std::map<std::string, std::string> labels;
  double value = 0;
};

// The samples of one snapshot.
class MetricsText {
 public:
  // Errors: DataLoss when the text is not whole, or is not Prometheus text; the
  // message has the line.
  static absl::StatusOr<MetricsText> Parse(std::string_view text);

  const std::vector<MetricSample>& samples() const { return samples_; }

  // The samples of a name, in the order of the text.
  std::vector<const MetricSample*> Named(std::string_view name) const;

  // The value of the sample with this name and these labels; 0 without it.
  double Value(std::string_view name,
               const std::map<std::string, std::string>& labels = {}) const;

  absl::Time taken_at() const;
  absl::Time opened_at() const;

  // An upper bound that the part `part` of a histogram's values does not
  // exceed: the end of a bucket. 0 without values; infinite past the last end.
  double Percentile(std::string_view name,
                    const std::map<std::string, std::string>& labels,
                    double part) const;

 private:
  std::vector<MetricSample> samples_;
};

}  // namespace varve

#endif  // VARVE_TOOLS_MONITOR_METRICS_TEXT_H_
