// SPDX-License-Identifier: Apache-2.0

#include "varve/log/system/wall_clock.h"

#include <time.h>

#include <cstdint>
#include <type_traits>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

namespace varve {
namespace {

constexpr int64_t kNanosPerMs = 1'000'000;

// A count that never stops while the millisecond passes; 0 if there is none.
// Its rate need not be known, only that it is not below one tick in two ns:
// every processor that has an invariant counter runs it faster.
constexpr int64_t kNanosPerTickMax = 2;

#if defined(__x86_64__)
bool HasInvariantCounter() {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  return __get_cpuid(0x80000007, &eax, &ebx, &ecx, &edx) != 0 &&
         (edx & (1U << 8)) != 0;
}

uint64_t Ticks() {
  static const bool has_counter = HasInvariantCounter();
  return has_counter ? __rdtsc() : 0;
}
#else
uint64_t Ticks() { return 0; }
#endif

// A thread's last reading: at `begin` the time was `ms`, and for `valid` ticks
// it still is.
struct Reading {
  uint64_t begin = 0;
  uint64_t valid = 0;
  int64_t ms = 0;
};

static_assert(std::is_trivially_destructible_v<Reading>,
              "a thread asks for the time also while it ends");

Reading ReadClock(uint64_t ticks) {
  struct timespec now = {};
  clock_gettime(CLOCK_REALTIME, &now);
  const int64_t left = kNanosPerMs - now.tv_nsec % kNanosPerMs;
  return {
      .begin = ticks,
      .valid = ticks == 0 ? 0 : static_cast<uint64_t>(left / kNanosPerTickMax),
      .ms = int64_t{now.tv_sec} * 1000 + now.tv_nsec / kNanosPerMs};
}

}  // namespace

int64_t WallClockMs() {
  thread_local Reading last;
  // The ticks are read before the clock, so that a pause between the two makes
  // the reading older, not younger. If the count went back, on another core,
  // the difference is too large as well.
  const uint64_t ticks = Ticks();
  if (ticks - last.begin >= last.valid) last = ReadClock(ticks);
  return last.ms;
}

}  // namespace varve
