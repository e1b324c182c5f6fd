// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/monitor/writer_holdings.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "varve/api/catalog/store_files.h"
#include "varve/api/writer_presence.h"
#include "varve/log/metadata/topic_partition.h"
#include "varve/log/system/file_system.h"
#include "varve/tools/monitor/metrics_snapshot.h"
#include "varve/tools/monitor/metrics_text.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/human_units.h"
#include "varve/tools/shell/writer_probe.h"

namespace varve {
namespace {

std::optional<TopicPartition> WhereOf(const MetricSample& sample) {
  const auto topic = sample.labels.find("topic");
  const auto partition = sample.labels.find("partition");
  TopicPartition where;
  if (topic == sample.labels.end() || partition == sample.labels.end() ||
      !absl::SimpleAtoi(partition->second, &where.partition)) {
    return std::nullopt;
  }
  where.topic = topic->second;
  return where;
}

// Whether the last writer closed the store cleanly, so that all is durable.
bool WasClosedCleanly(const std::string& path) {
  auto directory = FileSystem::Posix()->OpenDirectory(path);
  return directory.ok() && HasCleanShutdownMarker(**directory).value_or(false);
}

// The last snapshot, unless it is what a writer left when it closed.
std::optional<MetricsText> ReadSnapshot(const GlobalOptions& global) {
  const absl::StatusOr<std::string> text = ReadMetricsFile(global);
  if (!text.ok()) return std::nullopt;
  absl::StatusOr<MetricsText> metrics = ParseMetricsFile(global, *text);
  if (!metrics.ok() || metrics->Value("varve_open") == 0) return std::nullopt;
  return *std::move(metrics);
}

std::string SourceText(const WriterHoldings& holdings) {
  const std::string age =
      HumanTime(holdings.snapshot_age.value_or(absl::ZeroDuration()));
  switch (holdings.source) {
    case HoldingsSource::kSnapshot:
      return absl::StrCat("open; UNSYNCED and PINS are its snapshot's of ", age,
                          " ago");
    case HoldingsSource::kOldSnapshot:
      return absl::StrCat(
          "open; UNSYNCED and PINS are not known (?): its last "
          "snapshot is ",
          age, " old, nothing has changed since");
    case HoldingsSource::kNoSnapshot:
      return "open; UNSYNCED and PINS are not known (?): it has left no "
             "snapshot yet";
    case HoldingsSource::kClosedCleanly:
      return "none, and the last one closed the store: everything is durable";
    case HoldingsSource::kNotClosed:
      return "none, and the last one did not close the store: UNSYNCED is not "
             "known (?); the next open recovers it";
  }
  return "";
}

}  // namespace

void Holding::Add(const Holding& other) {
  unsynced_bytes += other.unsynced_bytes;
  pins += other.pins;
  pinned_deleted_bytes += other.pinned_deleted_bytes;
  pinned_deleted_seconds =
      std::max(pinned_deleted_seconds, other.pinned_deleted_seconds);
}

std::optional<Holding> WriterHoldings::Of(const TopicPartition& where) const {
  if (!is_known()) return std::nullopt;
  const auto known = partitions.find(where);
  return known == partitions.end() ? Holding() : known->second;
}

std::string WriterHoldings::ToText() const {
  return absl::StrCat(refuses_appends.value_or(false)
                          ? "refuses appends, since its disk is nearly full "
                            "(varve metrics); "
                          : "",
                      SourceText(*this));
}

std::map<TopicPartition, Holding> HoldingsIn(const MetricsText& metrics) {
  std::map<TopicPartition, Holding> holdings;
  const auto read = [&](std::string_view name, auto set) {
    for (const MetricSample* sample : metrics.Named(name)) {
      const std::optional<TopicPartition> where = WhereOf(*sample);
      if (where.has_value()) set(holdings[*where], sample->value);
    }
  };
  const auto count = [&](std::string_view name, int64_t Holding::*field) {
    read(name, [field](Holding& holding, double value) {
      holding.*field = std::llround(value);
    });
  };
  count("varve_partition_unsynced_bytes", &Holding::unsynced_bytes);
  count("varve_partition_pins", &Holding::pins);
  count("varve_partition_pinned_deleted_bytes", &Holding::pinned_deleted_bytes);
  read("varve_partition_pinned_deleted_seconds",
       [](Holding& holding, double value) {
         holding.pinned_deleted_seconds = value;
       });
  return holdings;
}

WriterHoldings ReadWriterHoldings(const GlobalOptions& global, absl::Time now) {
  if (ProbeWriter(global.data) == WriterPresence::kNone) {
    if (WasClosedCleanly(global.data))
      return {.source = HoldingsSource::kClosedCleanly};
    // A writer that has just opened the store removes the mark of the last one,
    // too.
    if (ProbeWriter(global.data) == WriterPresence::kNone)
      return {.source = HoldingsSource::kNotClosed};
  }
  const std::optional<MetricsText> snapshot = ReadSnapshot(global);
  if (!snapshot.has_value()) return {.source = HoldingsSource::kNoSnapshot};
  WriterHoldings holdings = {
      .source = HoldingsSource::kOldSnapshot,
      .snapshot_age =
          std::max(now - snapshot->taken_at(), absl::ZeroDuration()),
      .refuses_appends = snapshot->Value("varve_refuses_appends") != 0};
  if (*holdings.snapshot_age > kFreshSnapshot) return holdings;
  holdings.source = HoldingsSource::kSnapshot;
  holdings.partitions = HoldingsIn(*snapshot);
  return holdings;
}

}  // namespace varve
