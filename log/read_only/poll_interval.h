// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_READ_ONLY_POLL_INTERVAL_H_
#define VARVE_LOG_READ_ONLY_POLL_INTERVAL_H_

#include <algorithm>

#include "absl/time/time.h"

namespace varve {

// How long to sleep before a log of another process is read again: short when
// there was just news, longer the longer there is none. Only polling finds
// news: inotify does not report stores to mapped files.
//
// Thread safety: externally synchronized.
class PollInterval {
 public:
  static constexpr absl::Duration kMin = absl::Milliseconds(1);
  static constexpr absl::Duration kMax = absl::Milliseconds(50);
  static_assert(kMin <= kMax);

  // The next sleep; half as much again as the one before.
  absl::Duration Next() {
    const absl::Duration now = next_;
    next_ = std::min(next_ * 3 / 2, kMax);
    return now;
  }

  // Call it when there was news.
  void Reset() { next_ = kMin; }

 private:
  absl::Duration next_ = kMin;
};

}  // namespace varve

#endif  // VARVE_LOG_READ_ONLY_POLL_INTERVAL_H_
