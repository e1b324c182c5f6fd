// SPDX-License-Identifier: Apache-2.0

#include "varve/log/read_only/open_readers.h"

#include <algorithm>
#include <atomic>
#include <cstddef>

#include "absl/synchronization/mutex.h"

namespace varve {

void OpenReaders::Add(RestingReader* reader) {
  absl::MutexLock lock(&mu_);
  MakeRoom();
  open_.push_back(reader);
}

void OpenReaders::Remove(RestingReader* reader) {
  absl::MutexLock lock(&mu_);
  open_.erase(std::remove(open_.begin(), open_.end(), reader), open_.end());
}

// Makes at most two rounds: at first every reader may have been used.
void OpenReaders::MakeRoom() {
  for (size_t steps = 2 * open_.size();
       steps > 0 && !open_.empty() && open_.size() >= open_max_; --steps) {
    hand_ %= open_.size();
    RestingReader* const reader = open_[hand_];
    if (reader->was_used_.exchange(false, std::memory_order_relaxed) ||
        !reader->TryRest()) {
      ++hand_;
      continue;
    }
    open_[hand_] = open_.back();
    open_.pop_back();
  }
}

}  // namespace varve
