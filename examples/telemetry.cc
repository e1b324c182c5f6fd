// SPDX-License-Identifier: Apache-2.0

// Telemetry. Collectors append the readings of many sensors in batches, and
// wait for no sync: a power loss takes the last second at most. Retention keeps
// the disk within bounds.
//
//   telemetry DIRECTORY [START]
//
// appends ten minutes of readings, from the time START on; by default those
// until now. Then it sums up the last minute of them, and prints the metrics of
// the store, as Prometheus reads them.

#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "varve/api/cursor.h"
#include "varve/api/log_store.h"
#include "varve/api/prometheus_text.h"

namespace {

constexpr int32_t kSensors = 100;
constexpr absl::Duration kSpan = absl::Minutes(10);

// An hour of readings, or a mebibyte of each partition, whatever is less; they
// are deleted by segments. A real limit is a thousand times as large.
constexpr varve::TopicConfig kReadings = {.partitions = 4,
                                          .log = {.segment_bytes = 256 << 10,
                                                  .segment_ms = 10 * 60'000,
                                                  .retention_bytes = 1 << 20,
                                                  .retention_ms = 60 * 60'000}};

// Stands for a question to the sensor.
std::string Measure(int32_t sensor) { return absl::StrCat(20 + sensor % 10); }

// Collects from the sensors that belong to a partition, a batch every second.
absl::Status Collect(varve::Partition partition, absl::Time start) {
  varve::RecordBatchBuilder batch({.size_max = partition.batch_size_max()});
  for (absl::Time now = start; now < start + kSpan; now += absl::Seconds(1)) {
    for (int32_t sensor = partition.index(); sensor < kSensors;
         sensor += kReadings.partitions) {
      const std::string key = absl::StrCat("sensor-", sensor);
      const std::string value = Measure(sensor);
      absl::Status status = batch.Append({.key = key, .value = value}, now);
      if (!status.ok()) return status;
    }
    auto where = partition.Append(batch.Finish(), varve::Durability::kInterval);
    // A full disk costs readings; appends go on when there is room.
    if (absl::IsResourceExhausted(where.status()) ||
        absl::IsUnavailable(where.status())) {
      std::cerr << where.status() << '\n';
    } else if (!where.ok()) {
      return where.status();
    }
    batch.Clear();
  }
  return absl::OkStatus();
}

struct Summary {
  int64_t count = 0;
  double sum = 0;
};

absl::Status SumUp(const varve::Partition& partition, absl::Time since,
                   Summary& summary) {
  auto first = partition.OffsetForTime(since);
  if (!first.ok()) return first.status();
  // What retention deletes meanwhile is left out.
  varve::Cursor cursor(partition, *first,
                       {.reset = varve::OffsetReset::kEarliest});
  while (const varve::RecordView* reading = cursor.Next()) {
    double value = 0;
    if (reading->timestamp() < since ||
        !absl::SimpleAtod(reading->value().value_or(""), &value))
      continue;
    ++summary.count;
    summary.sum += value;
  }
  return cursor.status();
}

absl::Status Run(const std::string& path, absl::Time start) {
  auto store = varve::LogStore::Open(
      path, {.retention_check_interval = absl::Minutes(1)});
  if (!store.ok()) return store.status();
  absl::Status status = (*store)->CreateTopic("readings", kReadings);
  if (!status.ok() && !absl::IsAlreadyExists(status)) return status;

  std::vector<varve::Partition> partitions;
  for (int32_t i = 0; i < kReadings.partitions; ++i) {
    auto partition = (*store)->partition("readings", i);
    if (!partition.ok()) return partition.status();
    partitions.push_back(*partition);
  }
  std::vector<absl::Status> results(partitions.size());
  std::vector<std::thread> collectors;
  for (size_t i = 0; i < partitions.size(); ++i) {
    collectors.emplace_back(
        [&, i] { results[i] = Collect(partitions[i], start); });
  }
  for (std::thread& collector : collectors) collector.join();
  for (const absl::Status& result : results) {
    if (!result.ok()) return result;
  }

  Summary summary;
  for (const varve::Partition& partition : partitions) {
    status = SumUp(partition, start + kSpan - absl::Minutes(1), summary);
    if (!status.ok()) return status;
  }
  std::cout << "the last minute: " << summary.count << " readings, "
            << summary.sum / static_cast<double>(summary.count)
            << " on average\n";
  if (status = (*store)->SyncAll(); !status.ok()) return status;
  std::cout << varve::ToPrometheusText((*store)->Metrics());
  return (*store)->Close();
}

}  // namespace

int main(int argc, char** argv) {
  absl::Time start =
      absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now() - kSpan));
  std::string error;
  if (argc < 2 || (argc > 2 && !absl::ParseTime(absl::RFC3339_full, argv[2],
                                                &start, &error))) {
    std::cerr << "telemetry DIRECTORY [START] " << error << '\n';
    return 2;
  }
  const absl::Status status = Run(argv[1], start);
  if (!status.ok()) std::cerr << status << '\n';
  return status.ok() ? 0 : 1;
}
