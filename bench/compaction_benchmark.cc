// SPDX-License-Identifier: Apache-2.0

// How fast is compaction, beside a loop that reads, checks and writes as many
// bytes; what does it do to appends that go on meanwhile; and how much memory
// does it take?
//
//   compaction_benchmark [--data_mib=256] [--beside_mib=512] [--rate=100000]
//                        [--keys=10000000] …
//
// A compaction reads the bytes twice where they are dirty, once for the keys
// and once for what stays. The rate is that of the bytes of the log; the loop
// reads them once. It writes as many bytes as the compaction has written, or
// all that it has read. A segment of which nothing goes is not written again.
//
// Appends beside a compaction, in a thread of low priority as the store's, are
// compared with those beside such a loop, of the same priority, which takes as
// long as the last compaction to read, write and sync as many bytes.

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <fstream>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/no_destructor.h"
#include "absl/log/check.h"
#include "absl/log/log.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "bench/appender.h"
#include "bench/bare/copy_loop.h"
#include "bench/benchmark_run.h"
#include "bench/keyed_topic.h"
#include "bench/latency_sample.h"
#include "bench/open_loop.h"
#include "bench/ratio_reporter.h"
#include "bench/scratch_store.h"
#include "benchmark/benchmark.h"
#include "varve/api/partition.h"
#include "varve/api/store_options.h"
#include "varve/log/metadata/durability.h"

namespace varve::bench {
namespace {

constexpr int64_t kPieceBytes = int64_t{1} << 20;
// How much compaction writes between two syncs.
constexpr int64_t kSyncBytes = int64_t{4} << 20;
constexpr double kMiB = 1 << 20;
constexpr char kTopic[] = "keyed";

// What is compacted, and what the bare loop writes of it.
struct Case {
  Stays stays;
  int batch;
};
constexpr Case kCases[] = {{Stays::kOnePercent, 1}, {Stays::kOnePercent, 64},
                           {Stays::kHalf, 1},       {Stays::kHalf, 64},
                           {Stays::kAll, 1},        {Stays::kAll, 64}};
enum class Written { kAsMuch, kAll };

Keying KeyingOf(const Case& what) {
  Keying keying = {.stays = what.stays, .batch = what.batch};
  keying.records = RecordsIn(OptionOr("data_mib", 256, 1) << 20, keying);
  return keying;
}

StoreOptions Options() {
  StoreOptions options;
  // It compacts when it is told to.
  options.compaction_check_interval = absl::Hours(24);
  return options;
}

void Count(benchmark::State& state, const KeyedTopic::Compacted& compacted) {
  state.SetBytesProcessed(compacted.bytes_read);
  state.counters["read_MiB"] = static_cast<double>(compacted.bytes_read) / kMiB;
  state.counters["written_MiB"] =
      static_cast<double>(compacted.bytes_written) / kMiB;
}

void RunCompaction(benchmark::State& state, const Case& what) {
  ScratchStore store({}, Options());
  KeyedTopic topic(&store.store(), kTopic, KeyingOf(what));
  KeyedTopic::Compacted compacted;
  for (auto _ : state) compacted = topic.Compact();
  Count(state, compacted);
}

// The bare loop over the segments of such a topic, which has been compacted
// before, to see how much that writes.
void RunBare(benchmark::State& state, const Case& what, Written written) {
  ScratchStore store({}, Options());
  KeyedTopic topic(&store.store(), kTopic, KeyingOf(what));
  CopyLoop loop(topic.KeepSegments());
  KeyedTopic::Compacted compacted = topic.Compact();
  if (written == Written::kAll) compacted.bytes_written = compacted.bytes_read;
  const double part = static_cast<double>(compacted.bytes_written) /
                      static_cast<double>(compacted.bytes_read);
  for (auto _ : state) {
    for (int64_t read = 0; read < loop.size_bytes();) {
      const int64_t piece = loop.Read(kPieceBytes);
      loop.Write(static_cast<int64_t>(part * static_cast<double>(piece)));
      read += piece;
    }
    loop.Sync();
  }
  Count(state, compacted);
}

// What else happens during appends.
enum class Beside { kNothing, kCompaction, kBareLoop };

std::string_view NameOf(Beside beside) {
  switch (beside) {
    case Beside::kNothing:
      return "nothing";
    case Beside::kCompaction:
      return "compaction";
    case Beside::kBareLoop:
      return "bare_loop";
  }
  return "unknown";
}

// What a compaction beside appends has done.
struct Pace {
  KeyedTopic::Compacted compacted;
  absl::Duration time;
};

// The last one.
Pace& LastPace() {
  static absl::NoDestructor<Pace> pace;
  return *pace;
}

Pace Compact(KeyedTopic& topic) {
  const absl::Time begin = absl::Now();
  const KeyedTopic::Compacted compacted = topic.Compact();
  return {.compacted = compacted, .time = absl::Now() - begin};
}

// Reads, writes and syncs as much as the last compaction, which has read all
// twice, in the same time.
void CopyAtPace(CopyLoop& loop, const Pace& pace) {
  const int64_t bytes = 2 * pace.compacted.bytes_read;
  const double part = static_cast<double>(pace.compacted.bytes_written) / bytes;
  const absl::Time begin = absl::Now();
  int64_t unsynced = 0;
  for (int64_t read = 0; read < bytes;) {
    const int64_t piece = loop.Read(kPieceBytes);
    const auto written = static_cast<int64_t>(part * piece);
    loop.Write(written);
    read += piece;
    unsynced += written;
    if (unsynced >= kSyncBytes) {
      loop.Sync();
      unsynced = 0;
    }
    absl::SleepFor(begin + pace.time * (static_cast<double>(read) / bytes) -
                   absl::Now());
  }
  loop.Sync();
}

// The same priority as the thread of the store that compacts.
void BeNice() {
  PCHECK(setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), 10) == 0);
}

// The latencies of appends at a fixed rate, for as long as another thread takes
// to do `other`.
LatencySample AppendBeside(const Partition& partition, Durability durability,
                           const std::function<void()>& other) {
  Appender appender({.record = 100, .durability = durability}, partition);
  const int64_t rate = OptionOr("rate", 100'000, 10'000);
  LatencySample latencies(60 * rate);
  CallAtRate(rate, rate / 10, [&](int64_t) { appender.Append(); });
  std::atomic<bool> is_done = false;
  const std::jthread thread([&] {
    BeNice();
    other();
    is_done.store(true, std::memory_order_release);
  });
  CallAtRateUntil(
      rate, [&] { return is_done.load(std::memory_order_acquire); },
      [&](int64_t due) {
        appender.Append();
        latencies.Add(SteadyNanos() - due);
      });
  return latencies;
}

void RunAppends(benchmark::State& state, Durability durability, Beside beside) {
  ScratchStore store({}, Options());
  Keying keying = {.stays = Stays::kHalf, .batch = 64};
  keying.records = RecordsIn(OptionOr("beside_mib", 512, 1) << 20, keying);
  KeyedTopic topic(&store.store(), kTopic, keying);
  CopyLoop loop(topic.KeepSegments());
  const auto compact = [&] { LastPace() = Compact(topic); };
  if (beside == Beside::kBareLoop && LastPace().compacted.bytes_read == 0)
    AppendBeside(store.partition(), durability, compact);
  LatencySample latencies;
  for (auto _ : state) {
    latencies = AppendBeside(store.partition(), durability, [&] {
      if (beside == Beside::kCompaction) return compact();
      if (beside == Beside::kBareLoop) return CopyAtPace(loop, LastPace());
      absl::SleepFor(IsSmokeRun() ? absl::Milliseconds(100) : absl::Seconds(3));
    });
  }
  latencies.ReportTail(state);
}

// Bytes of this process's memory that belong to no file.
int64_t AnonymousBytes() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    std::string_view text = line;
    int64_t kib = 0;
    if (absl::ConsumePrefix(&text, "RssAnon:") &&
        absl::ConsumeSuffix(&text, "kB") && absl::SimpleAtoi(text, &kib)) {
      return kib << 10;
    }
  }
  LOG(FATAL) << "the kernel does not say what memory is used";
}

// How much more memory the process has during a compaction, at most; looked at
// every millisecond.
void RunMemory(benchmark::State& state, int64_t map_mib) {
  StoreOptions options = Options();
  options.compaction_map_bytes = map_mib << 20;
  ScratchStore store({}, options);
  // All but a segment is compacted.
  Keying keying = {
      .stays = Stays::kAll, .value_bytes = 8, .batch = 64, .segments = 16};
  keying.records = OptionOr("keys", 10'000'000, 20'000) * 16 / 15;
  KeyedTopic topic(&store.store(), kTopic, keying);
  const int64_t before = AnonymousBytes();
  int64_t peak = before;
  KeyedTopic::Compacted compacted;
  for (auto _ : state) {
    const std::jthread watch([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        peak = std::max(peak, AnonymousBytes());
        absl::SleepFor(absl::Milliseconds(1));
      }
    });
    compacted = topic.Compact();
  }
  Count(state, compacted);
  state.counters["peak_MiB"] = static_cast<double>(peak - before) / kMiB;
  state.counters["may_MiB"] = static_cast<double>(map_mib + 64);
  state.counters["compactions"] = static_cast<double>(compacted.compactions);
}

std::string NameOf(std::string_view what, const Case& of) {
  return absl::StrCat(what, "/stays:", NameOf(of.stays), "/batch:", of.batch);
}

void Add(const std::string& name,
         const std::function<void(benchmark::State&)>& body) {
  benchmark::RegisterBenchmark(name.c_str(), body)
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond)
      ->Iterations(1);
}

std::string NameOf(Durability durability, Beside beside) {
  return absl::StrCat("Append/durability:", DurabilityName(durability),
                      "/beside:", NameOf(beside));
}

constexpr Durability kDurabilities[] = {Durability::kMemory,
                                        Durability::kInterval};
constexpr Beside kBesides[] = {Beside::kCompaction, Beside::kBareLoop,
                               Beside::kNothing};
// StoreOptions::compaction_map_bytes, and what has room for all keys.
constexpr int64_t kMapMib[] = {128, 288};

constexpr char kCompaction[] = "Compaction";
constexpr char kBareAsMuch[] = "Bare/writes:as_much";
constexpr char kBareAll[] = "Bare/writes:all";

void RegisterAll() {
  for (const Case& what : kCases) {
    Add(NameOf(kCompaction, what),
        [=](benchmark::State& state) { RunCompaction(state, what); });
    Add(NameOf(kBareAsMuch, what), [=](benchmark::State& state) {
      RunBare(state, what, Written::kAsMuch);
    });
    Add(NameOf(kBareAll, what),
        [=](benchmark::State& state) { RunBare(state, what, Written::kAll); });
  }
  for (const Durability durability : kDurabilities) {
    for (const Beside beside : kBesides) {
      Add(NameOf(durability, beside), [=](benchmark::State& state) {
        RunAppends(state, durability, beside);
      });
    }
  }
  for (const int64_t map_mib : kMapMib) {
    Add(absl::StrCat("Memory/map_MiB:", map_mib),
        [=](benchmark::State& state) { RunMemory(state, map_mib); });
  }
}

std::vector<Ratio> Ratios() {
  std::vector<Ratio> ratios;
  for (const Case& what : kCases) {
    const auto full = [&](std::string_view name) {
      return absl::StrCat(NameOf(name, what), "/iterations:1/real_time");
    };
    ratios.push_back({.what = NameOf(kCompaction, what),
                      .measured = full(kCompaction),
                      .against = full(kBareAsMuch),
                      .against_what = "a loop that writes as much",
                      .counter = "bytes_per_second"});
    ratios.push_back({.what = NameOf(kCompaction, what),
                      .measured = full(kCompaction),
                      .against = full(kBareAll),
                      .against_what = "a loop that writes all",
                      .counter = "bytes_per_second"});
  }
  for (const Durability durability : kDurabilities) {
    const auto full = [&](Beside beside) {
      return absl::StrCat(NameOf(durability, beside),
                          "/iterations:1/real_time");
    };
    for (const Beside against : {Beside::kBareLoop, Beside::kNothing}) {
      ratios.push_back(
          {.what = NameOf(durability, Beside::kCompaction),
           .measured = full(Beside::kCompaction),
           .against = full(against),
           .against_what = absl::StrCat("beside ", NameOf(against)),
           .counter = "p50_us",
           .more_counters = {"p99_us", "p99.9_us", "p99.99_us", "max_us"}});
    }
  }
  return ratios;
}

}  // namespace
}  // namespace varve::bench

int main(int argc, char** argv) {
  return varve::bench::RunBenchmarks(
      argc, argv, varve::bench::RegisterAll, varve::bench::Ratios(),
      {.repetitions = 5,
       .options = {"data_mib", "beside_mib", "rate", "keys"}});
}
