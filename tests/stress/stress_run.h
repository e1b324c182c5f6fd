// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_STRESS_STRESS_RUN_H_
#define VARVE_TESTS_STRESS_STRESS_RUN_H_

#include <stdlib.h>

#include <atomic>
#include <cstdint>
#include <iostream>
#include <random>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "gtest/gtest.h"

namespace varve {

// What the threads of a stress test share: the seed of what they choose, and
// whether the store is being closed, when their calls may fail.
//
// Thread safety: thread-safe.
class StressRun {
 public:
  StressRun() { std::cout << "VARVE_TEST_SEED=" << seed_ << std::endl; }

  void NoteOpen() { closing_ = false; }
  void NoteClosing() { closing_ = true; }
  bool is_closing() const { return closing_; }

  // Whether a call on an open store succeeded. One that failed because the
  // store is being closed did so rightly; any other did not.
  bool Succeeded(const absl::Status& status) const {
    if (status.ok()) return true;
    EXPECT_TRUE(closing_ && (absl::IsFailedPrecondition(status) ||
                             absl::IsCancelled(status)))
        << status;
    return false;
  }

  // A thread's random numbers; no other thread uses the same `thread`.
  std::mt19937_64 RandomOf(int thread) const {
    return std::mt19937_64(seed_ * 1000 + static_cast<uint64_t>(thread));
  }

 private:
  static uint64_t Seed() {
    const char* text = getenv("VARVE_TEST_SEED");
    uint64_t seed = std::random_device()();
    return text == nullptr || absl::SimpleAtoi(text, &seed) ? seed : 0;
  }

  const uint64_t seed_ = Seed();
  // Memory ordering: sequentially consistent; it is set before Close is called.
  std::atomic<bool> closing_ = false;
};

}  // namespace varve

#endif  // VARVE_TESTS_STRESS_STRESS_RUN_H_
