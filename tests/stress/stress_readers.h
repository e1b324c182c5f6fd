// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_STRESS_STRESS_READERS_H_
#define VARVE_TESTS_STRESS_STRESS_READERS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/fixture/stress_history.h"
#include "tests/stress/stress_run.h"
#include "varve/api/partition.h"

namespace varve {

// The work of threads that read the partitions of a stressed topic. Each of
// them ends when the store is being closed, and fails the test when a record is
// missing, twice, changed or out of order. Waits have no deadline.
//
// Thread safety: thread-safe; each follower is one thread.
class StressReaders {
 public:
  static constexpr int kFollowers = 2;  // of each partition

  // The followers begin at the start of each partition.
  StressReaders(const StressRun& run, std::vector<Partition> partitions);

  // Follows the partition from its start, and waits at its end.
  void Follow(size_t index, int follower);

  // Waits for records that do not exist yet, again and again.
  void Wait(int waiter) const;

  // An event loop: reads all partitions, each when its descriptor says so. A
  // record may be passed over that was trimmed, since trims wait for the
  // followers alone, but none that is there.
  void Poll() const;

  // No follower of the partition needs what is before this offset.
  int64_t FollowedTo(size_t index) const;

 private:
  // False when the store is being closed.
  bool ReadToEnd(const Partition& partition, History& history) const;

  const StressRun& run_;
  const std::vector<Partition> partitions_;
  // The position of each follower; by partition.
  // Memory ordering: sequentially consistent.
  std::vector<std::array<std::atomic<int64_t>, kFollowers>> followed_to_;
};

}  // namespace varve

#endif  // VARVE_TESTS_STRESS_STRESS_READERS_H_
