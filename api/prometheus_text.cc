// SPDX-License-Identifier: Apache-2.0

#include "varve/api/prometheus_text.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "varve/api/exposition_writer.h"
#include "varve/api/store_metrics.h"
#include "varve/log/meters/distribution.h"

namespace varve {
namespace {

using Unit = ExpositionWriter::Unit;

double UnixSeconds(absl::Time time) {
  return absl::ToDoubleSeconds(time - absl::UnixEpoch());
}

void WriteTraffic(const StoreMetrics& metrics, ExpositionWriter& writer) {
  const auto write = [&](std::string_view name, std::string_view help,
                         int64_t TrafficMetrics::*field) {
    writer.Counter(name, help);
    for (const auto& [topic, traffic] : metrics.topics) {
      writer.Sample({{"topic", topic}}, traffic.*field);
    }
  };
  write("varve_appends_total", "Batches appended.", &TrafficMetrics::appends);
  write("varve_append_records_total", "Records appended.",
        &TrafficMetrics::appended_records);
  write("varve_append_bytes_total", "Bytes of batches appended.",
        &TrafficMetrics::appended_bytes);
  write("varve_reads_total", "Reads that returned batches.",
        &TrafficMetrics::reads);
  write("varve_read_bytes_total", "Bytes of batches that reads returned.",
        &TrafficMetrics::read_bytes);
}

void WriteLatencies(const StoreMetrics& metrics, ExpositionWriter& writer) {
  writer.Histogram(
      "varve_append_seconds",
      "Time of appends: of one in 64, at durability synced of every one.");
  writer.Samples({{"durability", "memory"}}, metrics.memory_append_ns,
                 Unit::kNanoseconds);
  writer.Samples({{"durability", "interval"}}, metrics.interval_append_ns,
                 Unit::kNanoseconds);
  writer.Samples({{"durability", "synced"}}, metrics.synced_append_ns,
                 Unit::kNanoseconds);
  const auto write = [&](std::string_view name, std::string_view help,
                         const Distribution& values, Unit unit) {
    writer.Histogram(name, help);
    writer.Samples({}, values, unit);
  };
  write("varve_read_seconds", "Time of reads: of one in 64.", metrics.read_ns,
        Unit::kNanoseconds);
  write("varve_sync_seconds", "Time of syncs.", metrics.sync_ns,
        Unit::kNanoseconds);
  write("varve_sync_batches", "Batches made durable by one sync.",
        metrics.sync_batches, Unit::kCount);
  write("varve_roll_seconds", "Time of segment rolls, as appends met them.",
        metrics.roll_ns, Unit::kNanoseconds);
  write("varve_retention_wait_seconds",
        "Time that appends waited since a partition was two segments beyond "
        "retention.bytes.",
        metrics.retention_wait_ns, Unit::kNanoseconds);
  write("varve_compaction_seconds", "Time of compactions, one partition each.",
        metrics.compaction.compaction_ns, Unit::kNanoseconds);
  write("varve_populate_seconds", "Time of populating pages ahead, a step.",
        metrics.populate_ns, Unit::kNanoseconds);
}

// Codes that an alert looks for are there from the start, so that their first
// increase is seen; the others once they have been met.
bool IsWatched(absl::StatusCode code) {
  return code == absl::StatusCode::kResourceExhausted ||
         code == absl::StatusCode::kDataLoss;
}

void WriteErrors(const StoreMetrics& metrics, ExpositionWriter& writer) {
  writer.Counter("varve_errors_total", "Calls and duties that failed.");
  const auto write = [&](std::string_view operation,
                         const ErrorCounts& counts) {
    for (size_t i = 0; i < counts.size(); ++i) {
      const auto code = static_cast<absl::StatusCode>(i);
      if (counts[i] == 0 && !IsWatched(code)) continue;
      writer.Sample(
          {{"operation", operation}, {"code", absl::StatusCodeToString(code)}},
          counts[i]);
    }
  };
  write("append", metrics.append_errors);
  write("read", metrics.read_errors);
  write("sync", metrics.sync_errors);
  write("open", metrics.open_errors);
  write("duty", metrics.duty_errors);
  writer.Counter("varve_poisoned_partitions_total",
                 "Partitions that stopped taking appends, by a failed sync or "
                 "write.");
  writer.Sample(metrics.poisoned_partitions);
}

void WriteWaits(const StoreMetrics& metrics, ExpositionWriter& writer) {
  writer.Gauge("varve_waiters", "Calls that wait for records now.");
  writer.Sample(metrics.waiters);
  writer.Counter("varve_waits_total", "Waits that ended.");
  writer.Sample({{"result", "finished"}}, metrics.finished_waits);
  writer.Sample({{"result", "expired"}}, metrics.expired_waits);
  writer.Sample({{"result", "cancelled"}}, metrics.cancelled_waits);
}

// A number of a struct of metrics.
template <class Metrics>
struct Number {
  std::string_view name;
  std::string_view help;
  int64_t Metrics::*field;
};

template <class Metrics, size_t kCounterCount, size_t kGaugeCount>
void WriteNumbers(const Metrics& metrics,
                  const Number<Metrics> (&counters)[kCounterCount],
                  const Number<Metrics> (&gauges)[kGaugeCount],
                  ExpositionWriter& writer) {
  for (const Number<Metrics>& counter : counters) {
    writer.Counter(counter.name, counter.help);
    writer.Sample(metrics.*counter.field);
  }
  for (const Number<Metrics>& gauge : gauges) {
    writer.Gauge(gauge.name, gauge.help);
    writer.Sample(metrics.*gauge.field);
  }
}

constexpr Number<StoreMetrics> kCounters[] = {
    {"varve_synced_bytes_total", "Bytes of batches made durable by syncs.",
     &StoreMetrics::synced_bytes},
    {"varve_ready_rolls_total", "Rolls that found the next segment ready.",
     &StoreMetrics::ready_rolls},
    {"varve_append_allocations_total",
     "Times an append waited for disk blocks.",
     &StoreMetrics::append_allocations},
    {"varve_populated_bytes_total", "Bytes of pages populated ahead.",
     &StoreMetrics::populated_bytes},
    {"varve_deleted_segments_total", "Segments removed below log starts.",
     &StoreMetrics::deleted_segments},
    {"varve_deleted_bytes_total", "Bytes of batches in removed segments.",
     &StoreMetrics::deleted_bytes},
    {"varve_checkpoints_total", "Times the checkpoint was written.",
     &StoreMetrics::checkpoints},
};

constexpr Number<StoreMetrics> kGauges[] = {
    {"varve_open_partitions", "Partitions that are open.",
     &StoreMetrics::open_partitions},
    {"varve_segments", "Segments of open partitions.", &StoreMetrics::segments},
    {"varve_open_files", "Descriptors held, of files and directories.",
     &StoreMetrics::open_files},
    {"varve_mappings", "Mappings held.", &StoreMetrics::mappings},
    {"varve_mapped_bytes", "Address space of the mappings held.",
     &StoreMetrics::mapped_bytes},
    {"varve_recovered_bytes", "Bytes of batches scanned by recovery.",
     &StoreMetrics::recovered_bytes},
};

constexpr Number<DiskMetrics> kDiskCounters[] = {
    {"varve_refused_appends_total",
     "Appends that were refused at free_space_floor_bytes.",
     &DiskMetrics::refused_appends},
    {"varve_size_deleted_segments_total",
     "Segments that store_size_max_bytes has deleted.",
     &DiskMetrics::size_deleted_segments},
    {"varve_size_deleted_bytes_total", "Bytes of batches in those segments.",
     &DiskMetrics::size_deleted_bytes},
};

constexpr Number<DiskMetrics> kDiskGauges[] = {
    {"varve_free_bytes", "Free bytes of the disk; 0 without a floor.",
     &DiskMetrics::free_bytes},
    {"varve_free_space_floor_bytes",
     "Free bytes below which appends are refused; 0 for none.",
     &DiskMetrics::free_space_floor_bytes},
    {"varve_free_space_resume_bytes", "Free bytes at which they go on.",
     &DiskMetrics::free_space_resume_bytes},
    {"varve_store_size_bytes",
     "Bytes of batches of all topics; 0 without a limit.",
     &DiskMetrics::store_size_bytes},
    {"varve_store_size_max_bytes",
     "Above that the oldest segments are deleted; 0 for no limit.",
     &DiskMetrics::store_size_max_bytes},
};

void WriteDisk(const DiskMetrics& disk, ExpositionWriter& writer) {
  WriteNumbers(disk, kDiskCounters, kDiskGauges, writer);
  writer.Gauge("varve_refuses_appends",
               "1 while appends that need more of the disk are refused.");
  writer.Sample(disk.refuses_appends ? 1 : 0);
}

constexpr Number<CompactionMetrics> kCompactionCounters[] = {
    {"varve_compactions_partial_total",
     "Compactions that had no room for all keys in compaction_map_bytes.",
     &CompactionMetrics::partial},
    {"varve_compaction_replaced_segments_total",
     "Segments that compaction has written again.",
     &CompactionMetrics::replaced_segments},
    {"varve_compaction_read_bytes_total", "Bytes that compaction has read.",
     &CompactionMetrics::read_bytes},
    {"varve_compaction_written_bytes_total",
     "Bytes that compaction has written.", &CompactionMetrics::written_bytes},
    {"varve_compaction_removed_records_total",
     "Records that compaction has removed.",
     &CompactionMetrics::removed_records},
};

constexpr Number<CompactionMetrics> kCompactionGauges[] = {
    // A gauge: a delete horizon can make a segment longer.
    {"varve_compaction_removed_bytes",
     "Bytes that compaction has removed since the store was opened.",
     &CompactionMetrics::removed_bytes},
    {"varve_compaction_due_partitions",
     "Partitions that were to be compacted when the store last looked.",
     &CompactionMetrics::due_partitions},
    {"varve_compaction_failing_partitions",
     "Partitions left alone for a while since their compaction has failed.",
     &CompactionMetrics::failing_partitions},
};

void WriteCompaction(const StoreMetrics& metrics, ExpositionWriter& writer) {
  WriteNumbers(metrics.compaction, kCompactionCounters, kCompactionGauges,
               writer);
  writer.Gauge("varve_dirty_ratio_max",
               "The largest dirty ratio of a partition, 0 to 1.");
  writer.Sample({}, metrics.compaction.dirty_ratio_max);
  writer.Gauge("varve_maintenance_paused",
               "1 while retention and compaction are paused.");
  writer.Sample(metrics.maintenance_is_paused ? 1 : 0);
}

// Writes only the partitions that hold anything: there may be thousands.
void WriteHoldings(const StoreMetrics& metrics, ExpositionWriter& writer) {
  const auto write = [&](std::string_view name, std::string_view help,
                         const auto& value_of) {
    writer.Gauge(absl::StrCat("varve_", name), help);
    writer.Sample({}, value_of(metrics.holdings));
    const std::string each = absl::StrCat("varve_partition_", name);
    writer.Gauge(each, absl::StrCat(help, " By partition, unless it is 0."));
    for (const auto& [where, holdings] : metrics.partitions) {
      if (value_of(holdings) == 0) continue;
      const std::string partition = absl::StrCat(where.partition);
      writer.Sample({{"topic", where.topic}, {"partition", partition}},
                    value_of(holdings));
    }
  };
  write("unsynced_bytes", "Bytes of batches that no sync covers yet.",
        [](const PartitionHoldings& holdings) {
          return holdings.unsynced_bytes;
        });
  write("pins", "Views, and reads under way, that pin a segment.",
        [](const PartitionHoldings& holdings) { return holdings.pins.pins; });
  write("pinned_deleted_bytes",
        "Bytes of deleted segments whose disk space a view keeps.",
        [](const PartitionHoldings& holdings) {
          return holdings.pins.deleted_bytes;
        });
  write("pinned_deleted_seconds",
        "For how long a view has kept the space of a deleted segment.",
        [](const PartitionHoldings& holdings) {
          return absl::ToDoubleSeconds(holdings.pins.oldest_deleted_age);
        });
}

void WriteGroupLags(const StoreMetrics& metrics, ExpositionWriter& writer) {
  writer.Gauge("varve_group_lag",
               "Records that a consumer group has not read, of groups and "
               "partitions in use.");
  for (const GroupLag& one : metrics.group_lags) {
    const std::string partition = absl::StrCat(one.partition.partition);
    writer.Sample({{"group", one.group},
                   {"topic", one.partition.topic},
                   {"partition", partition}},
                  one.lag);
  }
  writer.Gauge("varve_group_offsets_unseen",
               "Committed offsets that are too many to show the lag of.");
  writer.Sample(metrics.unseen_group_offsets);
}

void WriteOpening(const StoreMetrics& metrics, ExpositionWriter& writer) {
  writer.Gauge("varve_recovery_findings", "What recovery found, by kind.");
  writer.Sample({{"kind", "torn_tail"}}, metrics.torn_tails);
  writer.Sample({{"kind", "ambiguous"}}, metrics.ambiguous_cuts);
  writer.Sample({{"kind", "corrupt"}}, metrics.corrupt_places);
  writer.Gauge("varve_open", "1 while the store is open, 0 when it is closed.");
  writer.Sample(metrics.is_open ? 1 : 0);
  writer.Gauge("varve_open_seconds", "Time that opening the store took.");
  writer.Sample({}, absl::ToDoubleSeconds(metrics.open_time));
  writer.Gauge("varve_start_time_seconds",
               "When the store was opened, since the Unix epoch.");
  writer.Sample({}, UnixSeconds(metrics.opened_at));
}

}  // namespace

std::string ToPrometheusText(const StoreMetrics& metrics) {
  ExpositionWriter writer;
  WriteTraffic(metrics, writer);
  WriteLatencies(metrics, writer);
  WriteErrors(metrics, writer);
  WriteWaits(metrics, writer);
  WriteNumbers(metrics, kCounters, kGauges, writer);
  WriteDisk(metrics.disk, writer);
  WriteCompaction(metrics, writer);
  WriteHoldings(metrics, writer);
  WriteGroupLags(metrics, writer);
  WriteOpening(metrics, writer);
  writer.Gauge("varve_snapshot_time_seconds",
               "When these metrics were taken, since the Unix epoch.");
  writer.Sample({}, UnixSeconds(metrics.taken_at));
  return writer.Take();
}

}  // namespace varve
