// SPDX-License-Identifier: Apache-2.0

// How long after one thread appends a record has another one read it?

#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "bench/bare/bare_ping.h"
#include "bench/bare/bare_queues.h"
#include "bench/benchmark_run.h"
#include "bench/latency_sample.h"
#include "bench/open_loop.h"
#include "bench/ratio_reporter.h"
#include "bench/scratch_store.h"
#include "benchmark/benchmark.h"
#include "varve/api/partition.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/read_options.h"

namespace varve::bench {
namespace {

int64_t MessageCount() { return Scaled(50'000, 100); }

// The two ends of what is measured. A message carries the time it was due at,
// so that the delay of one that is sent late, after another that took long,
// counts from when it should have been sent.
using Send = std::function<void(const Message&)>;
using Receive = std::function<void(Message&)>;

void SendAtRate(int64_t rate, const Send& send) {
  Message message = {};
  CallAtRate(rate, MessageCount(), [&](int64_t due) {
    std::memcpy(message.data(), &due, sizeof due);
    send(message);
  });
}

// One iteration is one run of MessageCount() messages.
void RunHandoff(benchmark::State& state, int64_t rate, const Send& send,
                const Receive& receive) {
  LatencySample latencies(MessageCount());
  for (auto _ : state) {
    std::thread sender([&] { SendAtRate(rate, send); });
    Message message = {};
    for (int64_t i = 0; i < MessageCount(); ++i) {
      receive(message);
      int64_t due = 0;
      std::memcpy(&due, message.data(), sizeof due);
      latencies.Add(SteadyNanos() - due);
    }
    sender.join();
  }
  state.SetItemsProcessed(state.iterations() * MessageCount());
  state.SetBytesProcessed(state.iterations() * MessageCount() *
                          static_cast<int64_t>(kMessageSize));
  latencies.ReportTail(state);
}

enum class Waiting { kSpinning, kBlocking };

std::string_view NameOf(Waiting waiting) {
  return waiting == Waiting::kSpinning ? "spinning" : "blocking";
}

// Through a partition: the reader looks at the visible end all the time, or
// waits for it to move.
void RunLog(benchmark::State& state, int64_t rate, Waiting waiting) {
  ScratchStore store;
  Partition sender = store.partition();
  const Partition receiver = store.partition();
  RecordBatches view;
  std::optional<RecordBatches::Records> records;
  int64_t next = 0;
  RunHandoff(
      state, rate,
      [&](const Message& message) {
        const std::string_view value(message.data(), message.size());
        CHECK_OK(sender.Append({.value = value}, Durability::kMemory).status());
      },
      [&](Message& message) {
        const RecordView* record =
            records.has_value() ? records->Next() : nullptr;
        while (record == nullptr) {
          if (waiting == Waiting::kBlocking) CHECK_OK(receiver.WaitFor(next));
          while (receiver.visible_end() == next) {
          }
          absl::StatusOr<RecordBatches> read =
              receiver.Read(next, {.level = ReadLevel::kVisible});
          CHECK_OK(read.status());
          view = *std::move(read);
          records.emplace(view);
          next = view.next_offset();
          record = records->Next();
        }
        const std::string_view value = record->value().value_or("");
        CHECK_EQ(value.size(), message.size());
        std::memcpy(message.data(), value.data(), value.size());
      });
}

// Through a ring without a lock, which keeps nothing.
void RunRing(benchmark::State& state, int64_t rate) {
  BareRing ring;
  RunHandoff(
      state, rate, [&](const Message& message) { ring.Push(message); },
      [&](Message& message) {
        while (!ring.TryPop(message)) {
        }
      });
}

// Through a queue with a lock, spinning or with a condition variable.
void RunLocked(benchmark::State& state, int64_t rate, Waiting waiting) {
  BareLockedQueue queue;
  RunHandoff(
      state, rate, [&](const Message& message) { queue.Push(message); },
      [&](Message& message) {
        if (waiting == Waiting::kBlocking) {
          queue.Pop(message);
          return;
        }
        while (!queue.TryPop(message)) {
        }
      });
}

// Through nothing but memory, encoded, checked and decoded as in a log.
void RunPing(benchmark::State& state, int64_t rate, Waiting waiting) {
  BarePing ping(MessageCount());
  if (waiting == Waiting::kSpinning) {
    RunHandoff(
        state, rate, [&](const Message& message) { ping.Send(message); },
        [&](Message& message) { ping.ReceiveSpinning(message); });
    return;
  }
  RunHandoff(
      state, rate, [&](const Message& message) { ping.SendAndNotify(message); },
      [&](Message& message) { ping.ReceiveBlocking(message); });
}

std::string NameOf(std::string_view what, int64_t rate, Waiting waiting) {
  return absl::StrCat(what, "/record:64/rate:", rate,
                      "/waiting:", NameOf(waiting), "/durability:memory");
}

void Add(const std::string& name,
         const std::function<void(benchmark::State&)>& body) {
  benchmark::RegisterBenchmark(name.c_str(), body)
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond)
      ->Iterations(1);
}

void RegisterAll() {
  for (const int64_t rate : {100'000, 1'000'000}) {
    for (const Waiting waiting : {Waiting::kSpinning, Waiting::kBlocking}) {
      Add(NameOf("Handoff", rate, waiting),
          [=](benchmark::State& state) { RunLog(state, rate, waiting); });
      Add(NameOf("Bare/ping", rate, waiting),
          [=](benchmark::State& state) { RunPing(state, rate, waiting); });
      Add(NameOf("Bare/mutex", rate, waiting),
          [=](benchmark::State& state) { RunLocked(state, rate, waiting); });
    }
    Add(NameOf("Bare/ring", rate, Waiting::kSpinning),
        [=](benchmark::State& state) { RunRing(state, rate); });
  }
}

std::vector<Ratio> Ratios() {
  const auto full = [](std::string_view what, Waiting waiting) {
    return absl::StrCat(NameOf(what, 100'000, waiting),
                        "/iterations:1/real_time");
  };
  std::vector<Ratio> ratios;
  const auto add = [&](Waiting waiting, std::string_view bare,
                       const std::string& what) {
    ratios.push_back({.what = absl::StrCat("hand-off, ", NameOf(waiting)),
                      .measured = full("Handoff", waiting),
                      .against = full(bare, waiting),
                      .against_what = what,
                      .counter = "p50_us",
                      .more_counters = {"p99_us", "p99.9_us"}});
  };
  add(Waiting::kSpinning, "Bare/ping",
      "a bare ping that encodes, checks and decodes");
  add(Waiting::kSpinning, "Bare/ring", "a ring without a lock");
  add(Waiting::kSpinning, "Bare/mutex", "a queue with a lock");
  add(Waiting::kBlocking, "Bare/ping",
      "a bare ping that encodes, checks and decodes");
  add(Waiting::kBlocking, "Bare/mutex", "a queue with a condition variable");
  return ratios;
}

}  // namespace
}  // namespace varve::bench

int main(int argc, char** argv) {
  return varve::bench::RunBenchmarks(argc, argv, varve::bench::RegisterAll,
                                     varve::bench::Ratios());
}
