// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SEGMENT_ROLL_WATCH_H_
#define VARVE_LOG_SEGMENT_ROLL_WATCH_H_

#include <algorithm>
#include <cstdint>

#include "absl/log/check.h"
#include "varve/log/segment/roll_policy.h"
#include "varve/log/segment/segment.h"

namespace varve {

// Says when the active segment is rolled. It asks the policy, and remembers how
// far the answer reaches, so that most appends ask nothing.
//
// Thread safety: externally synchronized, by the partition's lock.
class RollWatch {
 public:
  // The batch that is to be appended.
  struct Append {
    int64_t size = 0;  // bytes
    int64_t last_offset = 0;
    int64_t max_timestamp_ms = -1;  // -1: it has none
    int64_t now_ms = 0;             // wall clock
  };

  // Begins with another active segment, which has existed since `created_ms`
  // and may last `segment_ms`: segment.ms less the jitter drawn for it.
  void Begin(int64_t created_ms, int64_t segment_ms) {
    CHECK_GT(segment_ms, 0);
    created_ms_ = created_ms;
    segment_ms_ = segment_ms;
    AskAgain();
  }

  // The config has changed: the segment lasts `segment_ms` at most.
  void LimitTime(int64_t segment_ms) {
    segment_ms_ = std::min(segment_ms_, segment_ms);
    AskAgain();
  }

  // Forgets the last answer. Call it when anything but appends has changed.
  void AskAgain() { horizon_ = {}; }

  // Whether the append is known to go to the segment, with room for it: there
  // is nothing to ask and nothing to reserve.
  bool Fits(const Segment& segment, const Append& append) const {
    return segment.has_room(append.size) &&
           horizon_.Includes({.segment_size = segment.size() + append.size,
                              .batch_last_offset = append.last_offset,
                              .batch_max_timestamp_ms = append.max_timestamp_ms,
                              .now_ms = append.now_ms});
  }

  // Asks the policy whether the segment is to be rolled before the append.
  // `segment_bytes` is that of the config.
  bool IsDue(const Segment& segment, const Append& append,
             int64_t segment_bytes);

 private:
  int64_t created_ms_ = 0;  // wall clock
  int64_t segment_ms_ = 0;
  RollHorizon horizon_;
};

}  // namespace varve

#endif  // VARVE_LOG_SEGMENT_ROLL_WATCH_H_
