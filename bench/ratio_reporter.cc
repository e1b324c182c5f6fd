// SPDX-License-Identifier: Apache-2.0

#include "bench/ratio_reporter.h"

#include <map>
#include <optional>
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

// What follows on the line of a TimeRatio.
std::string MoreTimes(const std::string& counter, double measured,
                      double against) {
  return absl::StrFormat("; %.2f times (%s %.3g against %.3g)",
                         measured / against, counter, measured, against);
}

// Both values of a counter, if both benchmarks have it.
std::optional<std::pair<double, double>> BothOf(
    const std::map<std::string, double>& measured,
    const std::map<std::string, double>& against, const std::string& counter) {
  const auto a = measured.find(counter);
  const auto b = against.find(counter);
  if (a == measured.end() || b == against.end()) return std::nullopt;
  return std::pair(a->second, b->second);
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
    const auto both = BothOf(measured->second, against->second, ratio.counter);
    if (!both.has_value()) continue;
    const bool is_rate = absl::EndsWith(ratio.counter, "per_second");
    std::string line = is_rate ? RateRatio(ratio, both->first, both->second)
                               : TimeRatio(ratio, both->first, both->second);
    for (const std::string& counter : ratio.more_counters) {
      const auto more = BothOf(measured->second, against->second, counter);
      if (!more.has_value()) continue;
      absl::StrAppend(&line, MoreTimes(counter, more->first, more->second));
    }
    const auto instructions =
        BothOf(measured->second, against->second, "instructions");
    if (instructions.has_value()) {
      absl::StrAppendFormat(&line, "; %.0f instructions against %.0f",
                            instructions->first, instructions->second);
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace varve::bench
