// SPDX-License-Identifier: Apache-2.0

// The queues that a hand-off through a log is measured against: two threads of
// one process would use them if nothing had to be kept.

#ifndef VARVE_BENCH_BARE_BARE_QUEUES_H_
#define VARVE_BENCH_BARE_BARE_QUEUES_H_

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <string_view>

namespace varve::bench {

inline constexpr size_t kMessageSize = 64;
using Message = std::array<char, kMessageSize>;

// A ring without a lock.
//
// Thread safety: one thread pushes, one pops.
class BareRing {
 public:
  void Push(const Message& message) {
    const uint64_t at = pushed_.load(std::memory_order_relaxed);
    while (at - popped_.load(std::memory_order_acquire) == kSlots) {
    }
    (*slots_)[at % kSlots] = message;
    pushed_.store(at + 1, std::memory_order_release);
  }

  bool TryPop(Message& message) {
    const uint64_t at = popped_.load(std::memory_order_relaxed);
    if (pushed_.load(std::memory_order_acquire) == at) return false;
    message = (*slots_)[at % kSlots];
    popped_.store(at + 1, std::memory_order_release);
    return true;
  }

 private:
  static constexpr uint64_t kSlots = 1 << 14;
  using Slots = std::array<Message, kSlots>;

  const std::unique_ptr<Slots> slots_ = std::make_unique<Slots>();
  // Memory ordering: each side releases its count after its access to a slot
  // and acquires the other's before it.
  alignas(64) std::atomic<uint64_t> pushed_ = 0;
  alignas(64) std::atomic<uint64_t> popped_ = 0;
};

// A queue with a lock and a condition variable.
//
// Thread safety: thread-safe.
class BareLockedQueue {
 public:
  void Push(const Message& message) {
    {
      const std::lock_guard<std::mutex> lock(mu_);
      messages_.push_back(message);
    }
    not_empty_.notify_one();
  }

  bool TryPop(Message& message) {
    const std::lock_guard<std::mutex> lock(mu_);
    if (messages_.empty()) return false;
    message = messages_.front();
    messages_.pop_front();
    return true;
  }

  void Pop(Message& message) {
    std::unique_lock<std::mutex> lock(mu_);
    not_empty_.wait(lock, [this] { return !messages_.empty(); });
    message = messages_.front();
    messages_.pop_front();
  }

 private:
  std::mutex mu_;
  std::condition_variable not_empty_;
  std::deque<Message> messages_;  // guarded by mu_
};

}  // namespace varve::bench

#endif  // VARVE_BENCH_BARE_BARE_QUEUES_H_
