// SPDX-License-Identifier: Apache-2.0

// How fast is compaction, beside a loop that reads, checks and writes as many
// bytes; what does it do to appends that go on meanwhile; and how much memory
// does it take?
//
//   compaction_benchmark [--data_mib=128] [--keys=10000000] …
//
// A compaction reads the bytes twice where they are dirty, once for the keys
// and once for what stays. The rate is that of the bytes of the log; the loop
// reads them once. It writes as many bytes as the compaction has written, or
// all that it has read. A segment of which nothing goes is not written again.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "bench/bare/copy_loop.h"
#include "bench/benchmark_run.h"
#include "bench/keyed_topic.h"
#include "bench/ratio_reporter.h"
#include "bench/scratch_store.h"
#include "benchmark/benchmark.h"
#include "varve/api/store_options.h"

namespace varve::bench {
namespace {

constexpr int64_t kPieceBytes = int64_t{1} << 20;
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
  keying.records = RecordsIn(OptionOr("data_mib", 128, 1) << 20, keying);
  return keying;
}

StoreOptions Options() {
  StoreOptions options;
  // It compacts when it is told to.
  options.compaction_check_interval = absl::Hours(24);
  return options;
}

void Count(benchmark::State& state, const KeyedTopic::Compacted& compacted) {
  constexpr double kMiB = 1 << 20;
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
  return ratios;
}

}  // namespace
}  // namespace varve::bench

int main(int argc, char** argv) {
  return varve::bench::RunBenchmarks(
      argc, argv, varve::bench::RegisterAll, varve::bench::Ratios(),
      {.repetitions = 5, .options = {"data_mib"}});
}
