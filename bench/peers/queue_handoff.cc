// SPDX-License-Identifier: Apache-2.0

// Queues of one process, which keep nothing: a ring without a lock, and a queue
// with a mutex and a condition variable (bench/bare/bare_queues.h).

#include <memory>
#include <string>

#include "bench/bare/bare_queues.h"
#include "bench/peers/handoff.h"
#include "bench/peers/handoff_run.h"

namespace varve::bench {
namespace {

class RingHandoff final : public Handoff {
 public:
  void Send(const Message& message) override { ring_.Push(message); }

  void Receive(Message& message) override {
    while (!ring_.TryPop(message)) {
    }
  }

 private:
  BareRing ring_;
};

class MutexHandoff final : public Handoff {
 public:
  explicit MutexHandoff(Waiting waiting) : waiting_(waiting) {}

  void Send(const Message& message) override { queue_.Push(message); }

  void Receive(Message& message) override {
    if (waiting_ == Waiting::kBlocking) {
      queue_.Pop(message);
      return;
    }
    while (!queue_.TryPop(message)) {
    }
  }

 private:
  const Waiting waiting_;
  BareLockedQueue queue_;
};

std::unique_ptr<Handoff> OpenRing(Waiting, const std::string&) {
  return std::make_unique<RingHandoff>();
}

std::unique_ptr<Handoff> OpenMutex(Waiting waiting, const std::string&) {
  return std::make_unique<MutexHandoff>(waiting);
}

constexpr HandoffVariant kVariants[] = {
    {"ring", Waiting::kSpinning, "nothing", "nothing", OpenRing},
    {"mutex_spinning", Waiting::kSpinning, "nothing", "nothing", OpenMutex},
    {"mutex_blocking", Waiting::kBlocking, "nothing", "nothing", OpenMutex},
};

}  // namespace
}  // namespace varve::bench

int main(int argc, char** argv) {
  return varve::bench::RunHandoff(argc, argv, "bench/bare/bare_queues.h",
                                  varve::bench::kVariants);
}
