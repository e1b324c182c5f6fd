// SPDX-License-Identifier: Apache-2.0

#include "bench/peers/handoff_run.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/log/check.h"
#include "bench/bare/bare_queues.h"
#include "bench/peers/handoff.h"
#include "nlohmann/json.hpp"

namespace varve::bench {
namespace {

using ::nlohmann::json;

struct Work {
  std::string variant;
  std::string directory;
  int64_t rate = 100'000;  // messages a second
  double seconds = 3;
};

// The part of the messages at the front that is not counted: threads that have
// not been scheduled yet, pages that were never touched.
constexpr double kWarmUp = 0.1;

int64_t NowNanos() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// What a message carries.
struct Stamp {
  int64_t due_ns;
  int64_t number;
};

void SendAll(const Work& work, int64_t count, Handoff& handoff) {
  const int64_t interval = 1'000'000'000 / work.rate;
  int64_t due = NowNanos() + 1'000'000;
  Message message = {};
  for (int64_t i = 0; i < count; ++i, due += interval) {
    while (NowNanos() < due) {
    }
    const Stamp stamp = {due, i};
    std::memcpy(message.data(), &stamp, sizeof stamp);
    handoff.Send(message);
  }
}

// The latencies in ns, in the order of the messages.
std::vector<int64_t> Measure(const Work& work, Handoff& handoff) {
  const auto count =
      static_cast<int64_t>(work.seconds * static_cast<double>(work.rate));
  std::vector<int64_t> latencies;
  latencies.reserve(static_cast<size_t>(count));
  std::thread sender([&] { SendAll(work, count, handoff); });
  Message message = {};
  for (int64_t i = 0; i < count; ++i) {
    handoff.Receive(message);
    const int64_t now = NowNanos();
    Stamp stamp = {};
    std::memcpy(&stamp, message.data(), sizeof stamp);
    CHECK_EQ(stamp.number, i) << "another message than was sent next";
    latencies.push_back(now - stamp.due_ns);
  }
  sender.join();
  const auto warm_up = static_cast<std::ptrdiff_t>(
      kWarmUp * static_cast<double>(latencies.size()));
  latencies.erase(latencies.begin(), latencies.begin() + warm_up);
  return latencies;
}

// In µs, by name. Precondition: `latencies` is not empty.
json Percentiles(std::vector<int64_t> latencies) {
  std::sort(latencies.begin(), latencies.end());
  const auto at = [&](double fraction) {
    const double rank =
        std::ceil(fraction * static_cast<double>(latencies.size()));
    const size_t index = std::max<size_t>(static_cast<size_t>(rank), 1) - 1;
    return static_cast<double>(latencies[index]) / 1000;
  };
  return {{"p50", at(0.5)},
          {"p99", at(0.99)},
          {"p99.9", at(0.999)},
          {"p99.99", at(0.9999)},
          {"max", at(1)}};
}

void Print(const HandoffVariant& variant, const std::string& version,
           const Work& work, const std::vector<int64_t>& latencies) {
  const bool spins = variant.waiting == Waiting::kSpinning;
  const json line = {
      {"work", spins ? "handoff_spinning" : "handoff_blocking"},
      {"variant", variant.name},
      {"version", version},
      {"rate", work.rate},
      {"survives",
       {{"kill", variant.survives_kill},
        {"power_loss", variant.survives_power_loss}}},
      {"messages", latencies.size()},
      {"us", Percentiles(latencies)},
  };
  std::cout << line.dump() << std::endl;
}

}  // namespace

int RunHandoff(int argc, char** argv, const std::string& version,
               absl::Span<const HandoffVariant> variants) {
  Work work;
  std::vector<std::string> names;
  for (const HandoffVariant& variant : variants) {
    names.emplace_back(variant.name);
  }
  CLI::App app("Hand-offs that varve's is compared with: " + version);
  app.add_option("--variant", work.variant, "how it is used")
      ->required()
      ->check(CLI::IsMember(names));
  app.add_option("--directory", work.directory, "an empty one")
      ->required()
      ->check(CLI::ExistingDirectory);
  app.add_option("--rate", work.rate, "messages a second")
      ->check(CLI::Range(1000, 10'000'000));
  app.add_option("--seconds", work.seconds, "how long")
      ->check(CLI::Range(0.01, 600.0));
  CLI11_PARSE(app, argc, argv);

  const auto variant = std::find_if(
      variants.begin(), variants.end(),
      [&](const HandoffVariant& v) { return v.name == work.variant; });
  const std::unique_ptr<Handoff> handoff =
      variant->open(variant->waiting, work.directory);
  Print(*variant, version, work, Measure(work, *handoff));
  return 0;
}

}  // namespace varve::bench
