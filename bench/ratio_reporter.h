// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_RATIO_REPORTER_H_
#define VARVE_BENCH_RATIO_REPORTER_H_

#include <map>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"

namespace varve::bench {

// One line of the summary: a benchmark beside the one that it is measured
// against, both by their full names.
struct Ratio {
  std::string what;  // "append one by one, 100 B"
  std::string measured;
  std::string against;
  std::string against_what = "the bare loop";
  // The quantity that is compared: a rate (more is better: "41 % of the bare
  // loop") unless it is the name of a counter of times ("1.8 times the bare
  // loop's").
  std::string counter = "items_per_second";
  // Further counters of times, for the same line.
  std::vector<std::string> more_counters = {};
};

// Shows medians alone where there are repetitions, and at the end the ratios of
// the benchmarks that were run, with the instructions of both where these were
// counted.
class RatioReporter final : public benchmark::BenchmarkReporter {
 public:
  enum class Rows { kAll, kMedians };

  RatioReporter(benchmark::BenchmarkReporter* shown, Rows rows,
                std::vector<Ratio> ratios);

  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override;

  // The summary, a line each; empty when no pair of it was run.
  std::vector<std::string> Summary() const;

 private:
  using Counters = std::map<std::string, double>;

  benchmark::BenchmarkReporter* const shown_;
  const Rows rows_;
  const std::vector<Ratio> ratios_;
  std::map<std::string, Counters> medians_;  // by full name
};

}  // namespace varve::bench

#endif  // VARVE_BENCH_RATIO_REPORTER_H_
