// SPDX-License-Identifier: Apache-2.0

// What does it cost to find a batch in a segment, and to enter one?

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "bench/benchmark_run.h"
#include "bench/ratio_reporter.h"
#include "benchmark/benchmark.h"
#include "varve/index/offset_index.h"
#include "varve/index/time_index.h"

namespace varve::bench {
namespace {

// Each entry is this many offsets, bytes and ms after the one before.
constexpr int64_t kOffsetStep = 24;
constexpr int64_t kByteStep = 1024;
constexpr int64_t kTimeStep = 10;

// The place of lookups. "warm": the last 8 KiB of entries, which the index
// tries first, as reads near the end do. "cold": anywhere, so that all but the
// first steps of the search miss the processor's caches.
enum class Where { kWarm, kCold };

std::string_view NameOf(Where where) {
  return where == Where::kWarm ? "warm" : "cold";
}

// The entries that lookups ask for, in an order nothing can foresee.
std::vector<int64_t> Targets(int64_t entries, Where where, int entry_size) {
  const int64_t warm = std::min<int64_t>(entries, 8192 / entry_size);
  const int64_t first = where == Where::kWarm ? entries - warm : 0;
  std::minstd_rand random(1);
  std::uniform_int_distribution<int64_t> entry(first, entries - 1);
  std::vector<int64_t> targets(1 << 16);
  for (int64_t& target : targets) target = entry(random);
  return targets;
}

// How long does it take to find an offset?
void RunOffsetLookup(benchmark::State& state, int64_t entries, Where where) {
  std::vector<char> bytes(
      static_cast<size_t>(entries * OffsetIndex::kEntrySize));
  OffsetIndex index(0, absl::MakeSpan(bytes), 0);
  for (int64_t i = 0; i < entries; ++i) {
    CHECK_OK(index.Append((i + 1) * kOffsetStep, (i + 1) * kByteStep));
  }
  const std::vector<int64_t> targets =
      Targets(entries, where, OffsetIndex::kEntrySize);
  size_t i = 0;
  for (auto _ : state) {
    const int64_t target = (targets[i++ % targets.size()] + 1) * kOffsetStep;
    benchmark::DoNotOptimize(index.Lookup(target + 1).position);
  }
  state.SetItemsProcessed(state.iterations());
}

// And a time?
void RunTimeLookup(benchmark::State& state, int64_t entries, Where where) {
  std::vector<char> bytes(static_cast<size_t>(entries * TimeIndex::kEntrySize));
  TimeIndex index(0, absl::MakeSpan(bytes), 0);
  for (int64_t i = 0; i < entries; ++i) {
    CHECK_OK(index.MaybeAppend((i + 1) * kTimeStep, (i + 1) * kOffsetStep,
                               TimeIndex::Slot::kFinal));
  }
  const std::vector<int64_t> targets =
      Targets(entries, where, TimeIndex::kEntrySize);
  size_t i = 0;
  for (auto _ : state) {
    const int64_t target = (targets[i++ % targets.size()] + 1) * kTimeStep;
    benchmark::DoNotOptimize(index.Lookup(target + 1).offset);
  }
  state.SetItemsProcessed(state.iterations());
}

// How long does the standard library search as many numbers of 8 bytes?
void RunBareLookup(benchmark::State& state, int64_t entries, Where where) {
  std::vector<int64_t> offsets;
  for (int64_t i = 0; i < entries; ++i)
    offsets.push_back((i + 1) * kOffsetStep);
  const std::vector<int64_t> targets = Targets(entries, where, 8);
  size_t i = 0;
  for (auto _ : state) {
    const int64_t target = (targets[i++ % targets.size()] + 1) * kOffsetStep;
    benchmark::DoNotOptimize(
        *(std::upper_bound(offsets.begin(), offsets.end(), target) - 1));
  }
  state.SetItemsProcessed(state.iterations());
}

// What does an entry add to an append?
void RunOffsetAppend(benchmark::State& state) {
  constexpr int64_t kEntries = 1 << 20;
  std::vector<char> bytes(kEntries * OffsetIndex::kEntrySize);
  OffsetIndex index(0, absl::MakeSpan(bytes), 0);
  int64_t i = 0;
  for (auto _ : state) {
    if (index.is_full()) {
      index.Truncate(0);
      i = 0;
    }
    ++i;
    CHECK_OK(index.Append(i * kOffsetStep, i * kByteStep));
  }
  state.SetItemsProcessed(state.iterations());
}

void RunTimeAppend(benchmark::State& state) {
  constexpr int64_t kEntries = 1 << 20;
  std::vector<char> bytes(kEntries * TimeIndex::kEntrySize);
  TimeIndex index(0, absl::MakeSpan(bytes), 0);
  int64_t i = 0;
  for (auto _ : state) {
    if (index.is_full()) {
      index.Truncate(0);
      i = 0;
    }
    ++i;
    CHECK_OK(index.MaybeAppend(i * kTimeStep, i * kOffsetStep,
                               TimeIndex::Slot::kOrdinary));
  }
  state.SetItemsProcessed(state.iterations());
}

std::string LookupName(std::string_view what, int64_t entries, Where where) {
  return absl::StrCat(what, "/entries:", entries, "/where:", NameOf(where),
                      "/durability:none");
}

void RegisterAll() {
  for (int64_t entries = 1 << 10; entries <= 1 << 20; entries <<= 5) {
    for (const Where where : {Where::kWarm, Where::kCold}) {
      for (const auto& [name, body] :
           {std::pair("OffsetIndex", &RunOffsetLookup),
            std::pair("TimeIndex", &RunTimeLookup),
            std::pair("Bare/upper_bound", &RunBareLookup)}) {
        benchmark::RegisterBenchmark(LookupName(name, entries, where).c_str(),
                                     [=, run = body](benchmark::State& state) {
                                       run(state, entries, where);
                                     });
      }
    }
  }
  benchmark::RegisterBenchmark("OffsetIndex/append/durability:none",
                               RunOffsetAppend);
  benchmark::RegisterBenchmark("TimeIndex/append/durability:none",
                               RunTimeAppend);
}

std::vector<Ratio> Ratios() {
  std::vector<Ratio> ratios;
  for (const Where where : {Where::kWarm, Where::kCold}) {
    for (const std::string index : {"OffsetIndex", "TimeIndex"}) {
      ratios.push_back(
          {.what = absl::StrCat(index, " of 2^20 entries, ", NameOf(where)),
           .measured = LookupName(index, 1 << 20, where),
           .against = LookupName("Bare/upper_bound", 1 << 20, where),
           .against_what = "std::upper_bound"});
    }
  }
  return ratios;
}

}  // namespace
}  // namespace varve::bench

int main(int argc, char** argv) {
  return varve::bench::RunBenchmarks(argc, argv, varve::bench::RegisterAll,
                                     varve::bench::Ratios());
}
