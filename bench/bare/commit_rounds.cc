// SPDX-License-Identifier: Apache-2.0

#include "bench/bare/commit_rounds.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

#include "bench/bare/wake_word.h"

namespace varve::bench {

CommitRounds::CommitRounds(std::function<void()> commit)
    : commit_(std::move(commit)) {}

void CommitRounds::Join() {
  const int64_t round = started_.load(std::memory_order_seq_cst) + 1;
  WakeWord& word = word_of(round);
  while (!IsFinished(round) && !TryLead(round)) {
    const uint32_t seen = word.seen();
    // Either would have woken this thread before it slept.
    if (IsFinished(round)) return;
    if (!is_led_.load(std::memory_order_acquire)) continue;
    word.Sleep(seen);
  }
}

// Returns whether it led the round, or found that another thread had.
bool CommitRounds::TryLead(int64_t round) {
  if (is_led_.exchange(true, std::memory_order_acquire)) return false;
  if (!IsFinished(round)) {
    const int64_t led = started_.fetch_add(1, std::memory_order_seq_cst) + 1;
    commit_();
    finished_.store(led, std::memory_order_release);
  }
  StepDown();
  return true;
}

// Wakes all that the round covers, and then one of the others as its successor:
// the first find time to append something more to the next round.
void CommitRounds::StepDown() {
  const int64_t finished = finished_.load(std::memory_order_relaxed);
  is_led_.store(false, std::memory_order_seq_cst);
  word_of(finished).Wake(WakeWord::kAll);
  word_of(finished + 1).Wake(1);
}

}  // namespace varve::bench
