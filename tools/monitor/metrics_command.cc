// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/monitor/metrics_command.h"

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "varve/api/writer_presence.h"
#include "varve/tools/monitor/metrics_snapshot.h"
#include "varve/tools/monitor/metrics_summary.h"
#include "varve/tools/monitor/metrics_text.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/data_directory.h"
#include "varve/tools/shell/exit_status.h"
#include "varve/tools/shell/record_json.h"
#include "varve/tools/shell/writer_probe.h"

namespace varve {
namespace {

Json ToJson(const MetricsText& metrics, WriterPresence writer, absl::Time now) {
  Json samples = Json::array();
  for (const MetricSample& sample : metrics.samples()) {
    Json labels = Json::object();
    for (const auto& [name, value] : sample.labels) labels[name] = value;
    samples.push_back({{"name", sample.name},
                       {"labels", std::move(labels)},
                       {"value", sample.value}});
  }
  const absl::Duration age =
      std::max(now - metrics.taken_at(), absl::ZeroDuration());
  return {{"writer", writer == WriterPresence::kOpen ? "open" : "none"},
          {"taken_at_ms", absl::ToUnixMillis(metrics.taken_at())},
          {"age_seconds", absl::ToDoubleSeconds(age)},
          {"samples", std::move(samples)}};
}

int Metrics(const GlobalOptions& global, bool prometheus) {
  if (absl::Status status = CheckDataDirectory(global); !status.ok())
    return UsageError(status.message());
  if (prometheus && global.json)
    return UsageError("--prometheus and --json: choose one");
  // The probe comes before the file is read: a writer that closes leaves the
  // file.
  const WriterPresence writer = ProbeWriter(global.data);
  const absl::StatusOr<std::string> text = ReadMetricsFile(global);
  if (!text.ok()) return FailWith(text.status());
  const absl::StatusOr<MetricsText> metrics = ParseMetricsFile(global, *text);
  if (!metrics.ok()) return FailWith(metrics.status());
  if (prometheus) {
    std::cout << *text;
  } else if (global.json) {
    std::cout << ToLine(ToJson(*metrics, writer, absl::Now())) << "\n";
  } else {
    std::cout << MetricsSummary(*metrics, writer, absl::Now());
  }
  return kExitSuccess;
}

}  // namespace

void AddMetricsCommand(CLI::App& app, CommandLine& line) {
  auto prometheus = std::make_shared<bool>(false);
  CLI::App* metrics =
      app.add_subcommand("metrics", "show what a store counts and times");
  metrics->fallthrough();
  metrics->add_flag("--prometheus", *prometheus,
                    "print the snapshot as it is: Prometheus text 0.0.4");
  metrics->footer(
      "Shows the last snapshot that the store's writer left, every ten seconds "
      "while\n"
      "something changes and when it closes. May run beside the writer.");
  metrics->callback([&line, prometheus] {
    line.run = [&line, prometheus] {
      return Metrics(line.global, *prometheus);
    };
  });
}

}  // namespace varve
