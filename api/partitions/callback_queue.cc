// SPDX-License-Identifier: Apache-2.0

#include "varve/api/partitions/callback_queue.h"

#include <cstdint>
#include <iterator>

#include "absl/log/check.h"
#include "absl/synchronization/mutex.h"
#include "varve/log/partition/append_completion.h"

namespace varve {

void CallbackQueue::Add(AppendCompletions completed) {
  absl::MutexLock lock(&mu_);
  due_.splice(due_.end(), completed);
}

int64_t CallbackQueue::CallDue() {
  const int64_t count = size();
  for (int64_t i = 0; i < count; ++i) {
    AppendCompletions next = TakeNext();
    next.front().Call();
  }
  return count;
}

AppendCompletions CallbackQueue::TakeNext() {
  AppendCompletions next;
  absl::MutexLock lock(&mu_);
  CHECK(!due_.empty());  // nobody else takes any
  next.splice(next.begin(), due_, due_.begin());
  return next;
}

int64_t CallbackQueue::size() const {
  absl::MutexLock lock(&mu_);
  return std::ssize(due_);
}

}  // namespace varve
