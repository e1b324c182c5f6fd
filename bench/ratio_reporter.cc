// SPDX-License-Identifier: Apache-2.0

#include "bench/ratio_reporter.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "benchmark/benchmark.h"

namespace varve::bench {
namespace {

using Run = benchmark::BenchmarkReporter::Run;

bool IsMedian(const Run& run) {
  return run.run_type == Run::RT_Aggregate && run.aggregate_name == "median";
}

// Whether the run is a median; a single repetition is its own.
bool Counts(const Run& run) {
  if (run.error_occurred) return false;
  return IsMedian(run) ||
         (run.run_type == Run::RT_Iteration && run.repetitions <= 1);
}

std::string RateRatio(const Ratio& ratio, double measured, double against) {
  if (ratio.counter == "bytes_per_second") {
    return absl::StrFormat("%s: %.0f %% of %s (%.2f GB/s against %.2f GB/s)",
                           ratio.what, 100 * measured / against,
                           ratio.against_what, measured / 1e9, against / 1e9);
  }
  return absl::StrFormat("%s: %.0f %% of %s (%.1f ns against %.1f ns each)",
                         ratio.what, 100 * measured / against,
                         ratio.against_what, 1e9 / measured, 1e9 / against);
}

std::string TimeRatio(const Ratio& ratio, double measured, double against) {
  return absl::StrFormat("%s: %.2f times %s (%s %.3g against %.3g)", ratio.what,
                         measured / against, ratio.against_what, ratio.counter,
                         measured, against);
}

}  // namespace

RatioReporter::RatioReporter(benchmark::BenchmarkReporter* shown, Rows rows,
                             std::vector<Ratio> ratios)
    : shown_(shown), rows_(rows), ratios_(std::move(ratios)) {}

bool RatioReporter::ReportContext(const Context& context) {
  return shown_->ReportContext(context);
}

void RatioReporter::ReportRuns(const std::vector<Run>& runs) {
  std::vector<Run> short_list;
  for (const Run& run : runs) {
    if (run.error_occurred || Counts(run)) short_list.push_back(run);
    if (!Counts(run)) continue;
    Counters& counters = medians_[run.run_name.str()];
    for (const auto& [name, counter] : run.counters) {
      counters[name] = counter.value;
    }
  }
  const std::vector<Run>& rows = rows_ == Rows::kMedians ? short_list : runs;
  if (!rows.empty()) shown_->ReportRuns(rows);
}

void RatioReporter::Finalize() { shown_->Finalize(); }

std::vector<std::string> RatioReporter::Summary() const {
  std::vector<std::string> lines;
  for (const Ratio& ratio : ratios_) {
    const auto measured = medians_.find(ratio.measured);
    const auto against = medians_.find(ratio.against);
    if (measured == medians_.end() || against == medians_.end()) continue;
    const auto a = measured->second.find(ratio.counter);
    const auto b = against->second.find(ratio.counter);
    if (a == measured->second.end() || b == against->second.end()) continue;
    const bool is_rate = absl::EndsWith(ratio.counter, "per_second");
    lines.push_back(is_rate ? RateRatio(ratio, a->second, b->second)
                            : TimeRatio(ratio, a->second, b->second));
  }
  return lines;
}

}  // namespace varve::bench
