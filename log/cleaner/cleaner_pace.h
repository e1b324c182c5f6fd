// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_CLEANER_CLEANER_PACE_H_
#define VARVE_LOG_CLEANER_CLEANER_PACE_H_

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "varve/log/system/clock.h"

namespace varve {

// How fast a compaction may read and write: Kafka's
// log.cleaner.io.max.bytes.per.second. It also lets it be stopped between any
// two pieces of work.
//
// Thread safety: externally synchronized.
class CleanerPace {
 public:
  struct Limits {
    // Bytes read and written in a second; 0 for no limit.
    int64_t bytes_per_second = 0;
    // Waits that long, which may be zero, but no longer than compaction is
    // wanted; returns whether it still is. Null: it always is, and nothing
    // waits.
    std::function<bool(absl::Duration)> wait = nullptr;
  };

  // Borrows the clock, which must outlive it.
  CleanerPace(Limits limits, Clock* clock);

  // Notes that so many bytes were read or written, and waits until so many are
  // allowed. Errors: Cancelled when compaction is not wanted any more.
  absl::Status Spend(int64_t bytes);

 private:
  const Limits limits_;
  Clock* const clock_;
  absl::Time allowed_at_;  // steady: when what was spent is allowed
};

}  // namespace varve

#endif  // VARVE_LOG_CLEANER_CLEANER_PACE_H_
