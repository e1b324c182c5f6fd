// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SYSTEM_CALL_GATE_H_
#define VARVE_LOG_SYSTEM_CALL_GATE_H_

#include <cstdint>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/log/check.h"
#include "absl/synchronization/mutex.h"

namespace varve {

// Counts the calls under way on something that can be closed, so that the
// thread that closes it can wait for them: none changes files after that.
//
//   const CallGate::Call call = gate.Enter();
//   if (!call.entered()) return ClosedError();
//
// It serves calls that take more than one step under a lock of their own. It
// costs two uncontended locks a call, so appends and reads do without: an
// append finds its partition closed under the partition's lock, and a read
// changes nothing.
//
// Thread safety: thread-safe. Must not be destroyed before the calls are over.
class CallGate {
 public:
  // One call, from `Enter` to its destruction.
  class [[nodiscard]] Call {
   public:
    Call(Call&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Call& operator=(Call&&) = delete;
    ~Call() {
      if (gate_ != nullptr) gate_->Leave();
    }

    // Whether the gate was open.
    bool entered() const { return gate_ != nullptr; }

   private:
    friend class CallGate;
    explicit Call(CallGate* gate) : gate_(gate) {}

    CallGate* gate_;  // null: it was closed
  };

  CallGate() = default;
  CallGate(const CallGate&) = delete;
  CallGate& operator=(const CallGate&) = delete;

  // A call within a call is one more.
  Call Enter() {
    absl::MutexLock lock(&mu_);
    if (closed_) return Call(nullptr);
    ++under_way_;
    return Call(this);
  }

  // Whether the gate is closed, or about to be: a long call ends early then.
  bool is_closed() const {
    absl::MutexLock lock(&mu_);
    return closed_;
  }

  // Lets no further call in, and waits for those under way. Idempotent; every
  // caller waits. Blocks for as long as the longest of them.
  //
  // Precondition: the calling thread has no call under way.
  void CloseAndWait() {
    absl::MutexLock lock(&mu_);
    closed_ = true;
    mu_.Await(absl::Condition(
        +[](int64_t* under_way) { return *under_way == 0; }, &under_way_));
  }

 private:
  void Leave() {
    absl::MutexLock lock(&mu_);
    CHECK_GT(under_way_, 0);
    --under_way_;
  }

  mutable absl::Mutex mu_;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  int64_t under_way_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace varve

#endif  // VARVE_LOG_SYSTEM_CALL_GATE_H_
