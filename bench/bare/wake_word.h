// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_BARE_WAKE_WORD_H_
#define VARVE_BENCH_BARE_WAKE_WORD_H_

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdint>

namespace varve::bench {

// A word that threads sleep on, a futex: they sleep until it is another than
// the one they saw. Waking costs no system call when nobody sleeps. (In a group
// commit of 64 threads std::atomic's wait and notify do two thirds of it: a
// thread that waits spins and yields first, on the cores that others need.)
//
// Thread safety: thread-safe.
class WakeWord {
 public:
  static constexpr int kAll = INT_MAX;

  uint32_t seen() const { return word_.load(std::memory_order_acquire); }

  // Sleeps until a Wake after `seen` was called, or for no reason.
  void Sleep(uint32_t seen) {
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    syscall(SYS_futex, &word_, FUTEX_WAIT_PRIVATE, seen, nullptr, nullptr, 0);
    sleepers_.fetch_sub(1, std::memory_order_relaxed);
  }

  // Wakes so many of them, those that have slept longest first.
  void Wake(int threads) {
    word_.fetch_add(1, std::memory_order_seq_cst);
    if (sleepers_.load(std::memory_order_seq_cst) == 0) return;
    syscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, threads, nullptr, nullptr,
            0);
  }

 private:
  // Memory ordering: a Wake first changes the word and then looks for sleepers;
  // a Sleep first counts itself and then has the kernel compare the word. In
  // one order of all four, one of the two sees the other. What was written
  // before a Wake is there for who saw its word.
  std::atomic<uint32_t> word_ = 0;
  std::atomic<int> sleepers_ = 0;
};

}  // namespace varve::bench

#endif  // VARVE_BENCH_BARE_WAKE_WORD_H_
