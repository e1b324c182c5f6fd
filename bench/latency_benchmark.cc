// SPDX-License-Identifier: Apache-2.0

// How long does an append take that is due at a fixed rate, up to the one in
// ten thousand?
//
//   latency_benchmark [--rate=100000] [--seconds=3] [--sync_ms=1000] …
//
// Each run is `seconds` long, after a second that does not count. A sync is due
// after `sync_ms`: the window of kInterval is twice that, since its syncs begin
// half-way through it.

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "bench/appender.h"
#include "bench/bare/bare_batch.h"
#include "bench/bare/bare_scan.h"
#include "bench/bare/ceiling_loop.h"
#include "bench/benchmark_run.h"
#include "bench/latency_sample.h"
#include "bench/open_loop.h"
#include "bench/ratio_reporter.h"
#include "bench/scratch_store.h"
#include "benchmark/benchmark.h"
#include "varve/api/partition.h"
#include "varve/api/store_metrics.h"
#include "varve/api/store_options.h"
#include "varve/api/topic_config.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/read_options.h"

namespace varve::bench {
namespace {

constexpr int64_t kRecordBytes = 100;

// What else happens during the appends.
enum class With { kNothing, kRolls, kReader, kRetention, kPartitions };

std::string_view NameOf(With with) {
  switch (with) {
    case With::kNothing:
      return "nothing";
    case With::kRolls:
      return "rolls";
    case With::kReader:
      return "reader";
    case With::kRetention:
      return "retention";
    case With::kPartitions:
      return "partitions";
  }
  return "unknown";
}

int64_t Rate() { return OptionOr("rate", 100'000, 10'000); }
// Calls whose latency does not count, and those after them.
int64_t WarmUpCount() { return IsSmokeRun() ? Rate() / 100 : Rate(); }
int64_t MeasuredCount() { return WarmUpCount() * OptionOr("seconds", 3, 1); }
int64_t CallCount() { return WarmUpCount() + MeasuredCount(); }

absl::Duration SyncEvery() {
  return absl::Milliseconds(OptionOr("sync_ms", 1000, 5));
}

// One iteration is one run of CallCount() appends.
void Run(benchmark::State& state, const std::function<void()>& append) {
  LatencySample latencies(MeasuredCount());
  for (auto _ : state) {
    int64_t warm_up = WarmUpCount();
    CallAtRate(Rate(), CallCount(), [&](int64_t due) {
      append();
      if (--warm_up < 0) latencies.Add(SteadyNanos() - due);
    });
  }
  state.SetItemsProcessed(CallCount());
  latencies.ReportTail(state);
}

CeilingLoop NewCeilingLoop() {
  return CeilingLoop((CallCount() + 1) * (BareBatchSize(kRecordBytes, 1) +
                                          kBareRecordOverheadMax),
                     CeilingLoop::Pages::kAhead);
}

// The bare loop: encoding and a CRC, into memory that a second thread provides.
void RunBare(benchmark::State& state) {
  CeilingLoop loop = NewCeilingLoop();
  const std::string value(kRecordBytes, 'v');
  Run(state, [&] { loop.Append(value, 1); });
}

// The same, while a thread has the kernel write the file as often as kInterval
// does.
void RunBareSynced(benchmark::State& state) {
  CeilingLoop loop = NewCeilingLoop();
  const std::string value(kRecordBytes, 'v');
  const std::jthread syncs([&](const std::stop_token& stop) {
    std::mutex mu;
    std::condition_variable_any stopped;
    std::unique_lock<std::mutex> lock(mu);
    while (!stopped.wait_for(lock, stop,
                             absl::ToChronoMilliseconds(SyncEvery()),
                             [&] { return stop.stop_requested(); })) {
      loop.Sync();
    }
  });
  Run(state, [&] { loop.Append(value, 1); });
}

// The bare loop with a thread that reads after it, blocked on a condition
// variable while there is nothing.
void RunBareWithReader(benchmark::State& state) {
  CeilingLoop loop = NewCeilingLoop();
  std::mutex mu;
  std::condition_variable_any appended;
  const std::jthread reader([&](const std::stop_token& stop) {
    size_t read = 0;
    const auto has_news = [&] { return loop.visible_bytes().size() > read; };
    while (true) {
      {
        std::unique_lock<std::mutex> lock(mu);
        if (!appended.wait(lock, stop, has_news)) return;
      }
      const std::string_view news = loop.visible_bytes().substr(read);
      benchmark::DoNotOptimize(BareScan(news, CrcCheck::kVerify).value_bytes);
      read += news.size();
    }
  });
  const std::string value(kRecordBytes, 'v');
  Run(state, [&] {
    {
      const std::lock_guard<std::mutex> lock(mu);
      loop.Append(value, 1);
    }
    appended.notify_one();
  });
}

TopicConfig ConfigWith(With with) {
  TopicConfig config;
  if (with != With::kRolls && with != With::kRetention) return config;
  // A roll each eighth of a second.
  const int64_t bytes_each = BareBatchSize(kRecordBytes, 1);
  config.log.segment_bytes =
      std::max<int64_t>(Rate() * bytes_each / 8, 64 << 10);
  if (with == With::kRetention)
    config.log.retention_bytes = 4 * config.log.segment_bytes;
  return config;
}

// Follows a partition, blocked while there is nothing.
void Follow(const std::stop_token& stop, const Partition& partition) {
  int64_t next = 0;
  while (!stop.stop_requested()) {
    const absl::Status waited = partition.WaitFor(
        next, absl::Now() + absl::Milliseconds(100), ReadLevel::kVisible);
    if (absl::IsDeadlineExceeded(waited)) continue;
    CHECK_OK(waited);
    const absl::StatusOr<RecordBatches> view =
        partition.Read(next, {.level = ReadLevel::kVisible});
    CHECK_OK(view.status());
    RecordBatches::Records records = view->records();
    while (const RecordView* record = records.Next()) {
      benchmark::DoNotOptimize(record->value().value_or("").data());
    }
    CHECK_OK(records.status());
    next = view->next_offset();
  }
}

// A record a second to each of a thousand other partitions.
class SlowTraffic {
 public:
  SlowTraffic(ScratchStore& store, Durability durability) {
    const auto count = static_cast<int32_t>(Scaled(1000, 10));
    TopicConfig config = {.partitions = count};
    config.log.segment_bytes = 1 << 20;
    CHECK_OK(store.store().CreateTopic("others", config));
    for (int32_t i = 0; i < count; ++i) {
      absl::StatusOr<Partition> partition =
          store.store().partition("others", i);
      CHECK_OK(partition.status());
      appenders_.emplace_back(
          Load{.record = kRecordBytes, .durability = durability},
          *std::move(partition));
      // Its segment is made now, and not in the course.
      appenders_.back().Append();
    }
    thread_ =
        std::jthread([this](const std::stop_token& stop) { Append(stop); });
  }

 private:
  void Append(const std::stop_token& stop) {
    const absl::Duration interval =
        absl::Seconds(1) / static_cast<int64_t>(appenders_.size());
    absl::Time due = absl::Now();
    for (size_t i = 0; !stop.stop_requested(); ++i, due += interval) {
      absl::SleepFor(due - absl::Now());
      appenders_[i % appenders_.size()].Append();
    }
  }

  std::vector<Appender> appenders_;
  std::jthread thread_;
};

void RunLog(benchmark::State& state, Durability durability, With with) {
  StoreOptions options;
  options.sync_interval = 2 * SyncEvery();
  ScratchStore store(ConfigWith(with), options);
  std::optional<SlowTraffic> traffic;
  if (with == With::kPartitions) traffic.emplace(store, durability);
  std::jthread reader;
  if (with == With::kReader) {
    reader = std::jthread(Follow, store.partition());
  }
  Appender appender({.record = kRecordBytes, .durability = durability},
                    store.partition());
  Run(state, [&] { appender.Append(); });
  const StoreMetrics metrics = store.store().Metrics();
  const auto count = [](int64_t number) { return static_cast<double>(number); };
  state.counters["rolls"] = count(metrics.roll_ns.count());
  state.counters["ready_rolls"] = count(metrics.ready_rolls);
  state.counters["syncs"] = count(metrics.sync_ns.count());
}

constexpr char kBare[] = "Bare/memcpy";
constexpr char kBareSynced[] = "Bare/memcpy/with:fdatasync";
constexpr char kBareWithReader[] = "Bare/memcpy/with:reader";
constexpr Durability kDurabilities[] = {Durability::kMemory,
                                        Durability::kInterval};
constexpr With kWiths[] = {With::kNothing, With::kRolls, With::kReader,
                           With::kRetention, With::kPartitions};

std::string NameOf(Durability durability, With with) {
  return absl::StrCat("Append/durability:", DurabilityName(durability),
                      "/with:", NameOf(with));
}

void Add(const std::string& name,
         const std::function<void(benchmark::State&)>& body) {
  benchmark::RegisterBenchmark(name.c_str(), body)
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond)
      ->Iterations(1);
}

void RegisterAll() {
  Add(kBare, RunBare);
  Add(kBareSynced, RunBareSynced);
  Add(kBareWithReader, RunBareWithReader);
  for (const Durability durability : kDurabilities) {
    for (const With with : kWiths) {
      Add(NameOf(durability, with),
          [=](benchmark::State& state) { RunLog(state, durability, with); });
    }
  }
}

Ratio Beside(Durability durability, With with, std::string_view bare) {
  constexpr std::string_view kRun = "/iterations:1/real_time";
  return {.what = NameOf(durability, with),
          .measured = absl::StrCat(NameOf(durability, with), kRun),
          .against = absl::StrCat(bare, kRun),
          .against_what = std::string(bare),
          .counter = "p50_us",
          .more_counters = {"p99_us", "p99.9_us", "p99.99_us", "max_us"}};
}

std::vector<Ratio> Ratios() {
  std::vector<Ratio> ratios;
  for (const Durability durability : kDurabilities) {
    for (const With with : kWiths) {
      ratios.push_back(Beside(durability, with, kBare));
      if (with == With::kReader)
        ratios.push_back(Beside(durability, with, kBareWithReader));
      if (durability == Durability::kInterval)
        ratios.push_back(Beside(durability, with, kBareSynced));
    }
  }
  return ratios;
}

}  // namespace
}  // namespace varve::bench

int main(int argc, char** argv) {
  return varve::bench::RunBenchmarks(
      argc, argv, varve::bench::RegisterAll, varve::bench::Ratios(),
      {.repetitions = 5, .options = {"rate", "seconds", "sync_ms"}});
}
