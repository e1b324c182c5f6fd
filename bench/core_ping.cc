// SPDX-License-Identifier: Apache-2.0

#include "bench/core_ping.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

#include "absl/time/time.h"

namespace varve::bench {
namespace {

constexpr int kRounds = 20;
constexpr int64_t kTripsPerRound = 2000;

std::vector<int> OwnCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cores;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return cores;
  for (int core = 0; core < CPU_SETSIZE && cores.size() < 2; ++core) {
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  }
  return cores;
}

bool PinTo(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  return pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0;
}

// The number of the last ping and of the last pong.
//
// Memory ordering: the numbers guard no other data; release and acquire, as a
// log uses them.
struct alignas(64) Line {
  std::atomic<int64_t> number = 0;
};

void Answer(int core, const Line& ping, Line& pong) {
  PinTo(core);  // without it the figure is of any two cores
  for (int64_t next = 1; next <= kRounds * kTripsPerRound; ++next) {
    while (ping.number.load(std::memory_order_acquire) < next) {
    }
    pong.number.store(next, std::memory_order_release);
  }
}

// The shortest round, a round trip.
absl::Duration Ask(int core, Line& ping, const Line& pong) {
  PinTo(core);
  auto best = absl::InfiniteDuration();
  for (int64_t next = 0; next < kRounds * kTripsPerRound;) {
    const auto start = std::chrono::steady_clock::now();
    for (int64_t i = 0; i < kTripsPerRound; ++i) {
      ping.number.store(++next, std::memory_order_release);
      while (pong.number.load(std::memory_order_acquire) < next) {
      }
    }
    best = std::min(best,
                    absl::FromChrono(std::chrono::steady_clock::now() - start));
  }
  return best / kTripsPerRound;
}

}  // namespace

std::optional<absl::Duration> CorePing() {
  const std::vector<int> cores = OwnCores();
  if (cores.size() < 2) return std::nullopt;
  Line ping;
  Line pong;
  absl::Duration round_trip;
  std::thread answerer([&] { Answer(cores[1], ping, pong); });
  std::thread asker([&] { round_trip = Ask(cores[0], ping, pong); });
  answerer.join();
  asker.join();
  // A longer time is the scheduler's, not a cache line's.
  if (round_trip > absl::Microseconds(5)) return std::nullopt;
  return round_trip / 2;
}

}  // namespace varve::bench
