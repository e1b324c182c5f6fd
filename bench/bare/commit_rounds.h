// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_BARE_COMMIT_ROUNDS_H_
#define VARVE_BENCH_BARE_COMMIT_ROUNDS_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>

#include "bench/bare/wake_word.h"

namespace varve::bench {

// Group commit by rounds. Each round is one commit, run by one of the threads
// that wait for it. Threads that come while it runs are covered by the next
// one, of which one of them becomes the leader.
//
// Thread safety: thread-safe.
class CommitRounds {
 public:
  // `commit` makes durable all that was written before its call. It runs on
  // threads that call `Join`, one at a time.
  explicit CommitRounds(std::function<void()> commit);

  // Returns after a commit that began after the call.
  void Join();

  // How many commits there were.
  int64_t count() const { return finished_.load(std::memory_order_relaxed); }

 private:
  bool IsFinished(int64_t round) const {
    return finished_.load(std::memory_order_acquire) >= round;
  }
  WakeWord& word_of(int64_t round) {
    return words_[static_cast<size_t>(round & 1)];
  }
  bool TryLead(int64_t round);
  void StepDown();

  const std::function<void()> commit_;

  // Memory ordering: who joins has written, under the lock of what it wrote to
  // or by a system call, before it loads `started_`; a leader counts its round
  // before it commits. So a round that is not counted yet covers the write.
  std::atomic<int64_t> started_ = 0;
  // Memory ordering: stored with release after the commit.
  std::atomic<int64_t> finished_ = 0;
  // Memory ordering: taken with acquire and given back with release: a leader
  // sees what the one before it has left.
  std::atomic<bool> is_led_ = false;
  // Who waits for a round sleeps on the word of its parity: those of a running
  // round and those of the next one are never mixed, and there are no others.
  std::array<WakeWord, 2> words_;
};

}  // namespace varve::bench

#endif  // VARVE_BENCH_BARE_COMMIT_ROUNDS_H_
