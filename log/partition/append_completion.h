// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_APPEND_COMPLETION_H_
#define VARVE_LOG_PARTITION_APPEND_COMPLETION_H_

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/partition/append_callback.h"
#include "varve/log/partition/append_result.h"

namespace varve {

// An append whose caller is called back, from before the append is made until
// the call. Owns the callback; one that is destroyed without its call is
// dropped.
//
// Thread safety: externally synchronized.
class AppendCompletion {
 public:
  // How many there are of one partition.
  // Memory ordering: relaxed; a count orders nothing.
  using Count = std::atomic<int64_t>;

  AppendCompletion(AppendCallback callback, std::shared_ptr<Count> outstanding)
      : callback_(std::move(callback)), outstanding_(std::move(outstanding)) {
    outstanding_->fetch_add(1, std::memory_order_relaxed);
  }
  AppendCompletion(const AppendCompletion&) = delete;
  AppendCompletion& operator=(const AppendCompletion&) = delete;
  ~AppendCompletion() { Uncount(); }

  // What the callback will be called with.
  void set_result(const absl::StatusOr<AppendResult>& result) {
    result_ = result;
  }

  // Calls the callback, which may append again: it does not count any more.
  //
  // Precondition: no lock is held; it was not called before.
  void Call() {
    Uncount();
    std::move(callback_)(std::move(result_));
  }

 private:
  void Uncount() {
    if (outstanding_ == nullptr) return;
    outstanding_->fetch_sub(1, std::memory_order_relaxed);
    outstanding_ = nullptr;
  }

  AppendCallback callback_;
  std::shared_ptr<Count> outstanding_;  // null: not counted any more
  absl::StatusOr<AppendResult> result_ = AppendResult();
};

// They are in the order of their offsets. A list, whose nodes pass from hand to
// hand: once an append is made, nothing is allocated that could fail.
using AppendCompletions = std::list<AppendCompletion>;

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_APPEND_COMPLETION_H_
