// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/monitor/metrics_summary.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "varve/api/writer_presence.h"
#include "varve/tools/monitor/metrics_text.h"
#include "varve/tools/shell/human_units.h"
#include "varve/tools/shell/text_table.h"

namespace varve {
namespace {

using Labels = std::map<std::string, std::string>;

int64_t Whole(double value) {
  return static_cast<int64_t>(std::llround(value));
}

std::string Count(double value) { return HumanCount(Whole(value)); }
std::string Bytes(double value) { return HumanBytes(Whole(value)); }

// "410 ns", "4.1 us", "12 ms", "1.20 s".
std::string Latency(double seconds) {
  if (std::isinf(seconds)) return "more";
  if (seconds < 1e-6) return absl::StrFormat("%.0f ns", seconds * 1e9);
  if (seconds < 1e-4) return absl::StrFormat("%.1f us", seconds * 1e6);
  if (seconds < 1e-3) return absl::StrFormat("%.0f us", seconds * 1e6);
  if (seconds < 1e-1) return absl::StrFormat("%.1f ms", seconds * 1e3);
  return HumanTime(absl::Seconds(seconds));
}

std::string Header(const MetricsText& metrics, WriterPresence writer,
                   absl::Time now) {
  const absl::Duration age =
      std::max(now - metrics.taken_at(), absl::ZeroDuration());
  const absl::Duration uptime = metrics.taken_at() - metrics.opened_at();
  return absl::StrCat(
      "taken ", HumanTime(age), " ago, ", HumanTime(uptime),
      " after the store was opened; ",
      writer == WriterPresence::kOpen
          ? "a writer has it open\n"
          : "no writer has it open: this is what the last one left\n");
}

std::string Topics(const MetricsText& metrics) {
  TextTable table({{.title = "TOPIC"},
                   {.title = "APPENDS", .align = Align::kRight},
                   {.title = "RECORDS", .align = Align::kRight},
                   {.title = "WRITTEN", .align = Align::kRight},
                   {.title = "READS", .align = Align::kRight},
                   {.title = "READ", .align = Align::kRight}});
  const std::vector<const MetricSample*> appends =
      metrics.Named("varve_appends_total");
  if (appends.empty()) return "no topic was used\n";
  for (const MetricSample* sample : appends) {
    const Labels& topic = sample->labels;
    table.AddRow({topic.empty() ? "" : topic.begin()->second,
                  Count(sample->value),
                  Count(metrics.Value("varve_append_records_total", topic)),
                  Bytes(metrics.Value("varve_append_bytes_total", topic)),
                  Count(metrics.Value("varve_reads_total", topic)),
                  Bytes(metrics.Value("varve_read_bytes_total", topic))});
  }
  return table.ToString();
}

std::string Latencies(const MetricsText& metrics) {
  TextTable table({{.title = "TIMED"},
                   {.title = "COUNT", .align = Align::kRight},
                   {.title = "MEAN", .align = Align::kRight},
                   {.title = "P50 <=", .align = Align::kRight},
                   {.title = "P99 <=", .align = Align::kRight},
                   {.title = "MAX <=", .align = Align::kRight}});
  const auto add = [&](std::string_view title, std::string_view name,
                       const Labels& labels) {
    const double count = metrics.Value(absl::StrCat(name, "_count"), labels);
    if (count == 0) return;
    const double sum = metrics.Value(absl::StrCat(name, "_sum"), labels);
    table.AddRow({std::string(title), Count(count), Latency(sum / count),
                  Latency(metrics.Percentile(name, labels, 0.5)),
                  Latency(metrics.Percentile(name, labels, 0.99)),
                  Latency(metrics.Percentile(name, labels, 1))});
  };
  const std::string_view append = "varve_append_seconds";
  add("append, memory", append, {{"durability", "memory"}});
  add("append, interval", append, {{"durability", "interval"}});
  add("append, synced", append, {{"durability", "synced"}});
  add("read", "varve_read_seconds", {});
  add("sync", "varve_sync_seconds", {});
  add("roll", "varve_roll_seconds", {});
  add("populate", "varve_populate_seconds", {});
  add("compaction", "varve_compaction_seconds", {});
  return table.ToString();
}

std::string Errors(const MetricsText& metrics) {
  std::string text;
  for (const MetricSample* sample : metrics.Named("varve_errors_total")) {
    if (sample->value == 0) continue;
    const auto code = sample->labels.find("code");
    const auto operation = sample->labels.find("operation");
    if (code == sample->labels.end() || operation == sample->labels.end())
      continue;
    absl::StrAppend(&text, text.empty() ? "" : ", ", Count(sample->value), " ",
                    operation->second, " ", code->second);
  }
  return text.empty() ? "none" : text;
}

std::string Syncs(const MetricsText& metrics) {
  const double groups = metrics.Value("varve_sync_batches_count");
  const double batches = metrics.Value("varve_sync_batches_sum");
  return absl::StrCat(
      Bytes(metrics.Value("varve_synced_bytes_total")), " made durable, ",
      absl::StrFormat("%.1f", groups == 0 ? 0 : batches / groups),
      " batches a sync, ", Count(metrics.Value("varve_checkpoints_total")),
      " checkpoints");
}

std::string Recovery(const MetricsText& metrics) {
  const auto found = [&](const std::string& kind) {
    return Count(metrics.Value("varve_recovery_findings", {{"kind", kind}}));
  };
  return absl::StrCat(
      "opened in ",
      HumanTime(absl::Seconds(metrics.Value("varve_open_seconds"))), ", ",
      Bytes(metrics.Value("varve_recovered_bytes")),
      " scanned: ", found("torn_tail"), " torn tails, ", found("ambiguous"),
      " ambiguous, ", found("corrupt"), " corrupt");
}

// Empty when no group's lag is known.
std::string Lags(const MetricsText& metrics) {
  const std::vector<const MetricSample*> lags =
      metrics.Named("varve_group_lag");
  if (lags.empty()) return "";
  std::set<std::string> groups;
  double records = 0;
  for (const MetricSample* sample : lags) {
    const auto group = sample->labels.find("group");
    if (group != sample->labels.end()) groups.insert(group->second);
    records += sample->value;
  }
  return absl::StrCat(CountOf(std::ssize(groups), "group"), ", ",
                      Count(records), " records behind together");
}

// Empty when nothing was compacted, nor is to be.
std::string Compaction(const MetricsText& metrics) {
  const double count = metrics.Value("varve_compaction_seconds_count");
  const double due = metrics.Value("varve_compaction_due_partitions");
  const double failing = metrics.Value("varve_compaction_failing_partitions");
  if (count + due + failing == 0) return "";
  return absl::StrCat(
      Bytes(metrics.Value("varve_compaction_read_bytes_total")), " read, ",
      Bytes(metrics.Value("varve_compaction_written_bytes_total")),
      " written, ",
      Count(metrics.Value("varve_compaction_removed_records_total")),
      " records removed; due: ", Count(due),
      " partitions, failing: ", Count(failing),
      metrics.Value("varve_maintenance_paused") != 0 ? "; paused" : "");
}

// Empty without a floor.
std::string FreeSpace(const MetricsText& metrics) {
  const double floor = metrics.Value("varve_free_space_floor_bytes");
  if (floor == 0) return "";
  const bool refuses = metrics.Value("varve_refuses_appends") != 0;
  return absl::StrCat(
      Bytes(metrics.Value("varve_free_bytes")), " of the disk, the floor is ",
      Bytes(floor), ": appends ",
      refuses
          ? absl::StrCat("that need more are refused until ",
                         Bytes(metrics.Value("varve_free_space_resume_bytes")),
                         " are free")
          : "go on",
      "; ", Count(metrics.Value("varve_refused_appends_total")),
      " were refused");
}

// Empty without a limit.
std::string StoreSize(const MetricsText& metrics) {
  const double limit = metrics.Value("varve_store_size_max_bytes");
  if (limit == 0) return "";
  return absl::StrCat(Bytes(metrics.Value("varve_store_size_bytes")), " of ",
                      Bytes(limit), " at most, ",
                      Count(metrics.Value("varve_size_deleted_segments_total")),
                      " segments deleted for it, ",
                      Bytes(metrics.Value("varve_size_deleted_bytes_total")));
}

std::string Rest(const MetricsText& metrics) {
  TextTable table({{}, {}});
  const auto value = [&](std::string_view name, const Labels& labels = {}) {
    return metrics.Value(name, labels);
  };
  table.AddRow({"errors", Errors(metrics)});
  table.AddRow(
      {"poisoned", absl::StrCat(Count(value("varve_poisoned_partitions_total")),
                                " partitions")});
  table.AddRow({"syncs", Syncs(metrics)});
  table.AddRow(
      {"waits",
       absl::StrCat(Count(value("varve_waiters")), " now, ",
                    Count(value("varve_waits_total", {{"result", "finished"}})),
                    " finished, ",
                    Count(value("varve_waits_total", {{"result", "expired"}})),
                    " expired")});
  table.AddRow(
      {"open",
       absl::StrCat(Count(value("varve_open_partitions")), " partitions, ",
                    Count(value("varve_segments")), " segments, ",
                    Count(value("varve_open_files")), " descriptors, ",
                    Count(value("varve_mappings")), " mappings")});
  table.AddRow(
      {"deleted",
       absl::StrCat(Count(value("varve_deleted_segments_total")), " segments, ",
                    Bytes(value("varve_deleted_bytes_total")))});
  if (std::string compaction = Compaction(metrics); !compaction.empty())
    table.AddRow({"compaction", std::move(compaction)});
  if (std::string free = FreeSpace(metrics); !free.empty())
    table.AddRow({"free", std::move(free)});
  if (std::string size = StoreSize(metrics); !size.empty())
    table.AddRow({"size", std::move(size)});
  if (std::string lags = Lags(metrics); !lags.empty())
    table.AddRow({"lag", std::move(lags)});
  table.AddRow({"recovery", Recovery(metrics)});
  return table.ToString();
}

}  // namespace

std::string MetricsSummary(const MetricsText& metrics, WriterPresence writer,
                           absl::Time now) {
  return absl::StrCat(Header(metrics, writer, now), "\n", Topics(metrics), "\n",
                      Latencies(metrics), "\n", Rest(metrics));
}

}  // namespace varve
