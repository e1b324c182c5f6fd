// SPDX-License-Identifier: Apache-2.0

#include "varve/log/retention/retention_policy.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/log/check.h"
#include "absl/types/span.h"
#include "varve/log/metadata/log_config.h"

namespace varve {
namespace {

// A clock before 1970 is neither believed nor subtracted from.
bool IsPast(int64_t time_ms, int64_t now_ms) {
  return now_ms >= 0 && time_ms >= kPlausibleTimestampMs &&
         time_ms - now_ms <= kFutureSlackMs;
}

// The time of each segment, from itself and later ones; less than 0 for none.
std::vector<int64_t> TimesOf(absl::Span<const RetentionSegment> segments,
                             int64_t now_ms) {
  std::vector<int64_t> times(segments.size());
  int64_t earliest_behind_ms = -1;
  for (size_t i = segments.size(); i-- > 0;) {
    const RetentionSegment& segment = segments[i];
    const bool modified = IsPast(segment.modified_ms, now_ms);
    times[i] = IsPast(segment.max_timestamp_ms, now_ms)
                   ? segment.max_timestamp_ms
               : modified ? segment.modified_ms
                          : earliest_behind_ms;
    if (modified &&
        (earliest_behind_ms < 0 || segment.modified_ms < earliest_behind_ms)) {
      earliest_behind_ms = segment.modified_ms;
    }
  }
  return times;
}

// Both are 0 or more when there is a limit, so nothing overflows.
bool IsOlderThan(int64_t limit_ms, int64_t time_ms, int64_t now_ms) {
  CHECK_GE(limit_ms, 0);
  CHECK_GE(time_ms, 0);
  return now_ms > time_ms && now_ms - time_ms > limit_ms;
}

bool HasLimit(const RetentionLimits& limits) {
  return limits.cleanup_policy != CleanupPolicy::kCompact &&
         (limits.retention_ms >= 0 || limits.retention_bytes >= 0);
}

bool IsIdle(const RetentionSegment& last, int64_t segment_ms, int64_t now_ms) {
  return last.size_bytes > 0 && IsPast(last.modified_ms, now_ms) &&
         IsOlderThan(segment_ms, last.modified_ms, now_ms);
}

// Walks the segments from the oldest on.
class Pass {
 public:
  Pass(const RetentionInputs& inputs, const RetentionLimits& limits)
      : inputs_(inputs),
        limits_(limits),
        times_(TimesOf(inputs.segments, inputs.now_ms)) {
    for (const RetentionSegment& segment : inputs.segments) {
      bytes_left_ += segment.size_bytes;
    }
  }

  RetentionDecision Decide() {
    const size_t count = inputs_.segments.size();
    size_t gone = 0;
    while (gone < count && Goes(gone)) ++gone;
    CHECK_EQ(decision_.count(), static_cast<int64_t>(gone));
    CHECK(gone == 0 || decision_.log_start <= inputs_.durable_end);
    decision_.roll =
        gone == count ||
        IsIdle(inputs_.segments.back(), limits_.segment_ms, inputs_.now_ms);
    return decision_;
  }

 private:
  // Checks the oldest segment that is left, and counts it if it is to be
  // deleted.
  bool Goes(size_t i) {
    const RetentionSegment& segment = inputs_.segments[i];
    if (segment.next_offset > inputs_.durable_end) return false;
    if (segment.size_bytes == 0 && i + 1 == inputs_.segments.size()) {
      return false;
    }
    latest_time_ms_ = std::max(latest_time_ms_, times_[i]);
    if (IsOverBytes(segment)) {
      ++decision_.over_bytes_count;
    } else if (times_[i] >= 0 && IsOverAge()) {
      ++decision_.over_age_count;
    } else {
      return false;
    }
    bytes_left_ -= segment.size_bytes;
    decision_.log_start = segment.next_offset;
    return true;
  }

  bool IsOverBytes(const RetentionSegment& segment) const {
    return limits_.retention_bytes >= 0 &&
           bytes_left_ - segment.size_bytes >= limits_.retention_bytes;
  }

  bool IsOverAge() const {
    return limits_.retention_ms >= 0 &&
           IsOlderThan(limits_.retention_ms, latest_time_ms_, inputs_.now_ms);
  }

  const RetentionInputs& inputs_;
  const RetentionLimits& limits_;
  const std::vector<int64_t> times_;
  RetentionDecision decision_;
  int64_t bytes_left_ = 0;
  int64_t latest_time_ms_ = 0;  // of the segments so far
};

}  // namespace

RetentionDecision DecideRetention(const RetentionInputs& inputs,
                                  const RetentionLimits& limits) {
  if (inputs.segments.empty() || !HasLimit(limits)) return {};
  return Pass(inputs, limits).Decide();
}

std::vector<int64_t> RetentionTimes(absl::Span<const RetentionSegment> segments,
                                    int64_t now_ms) {
  std::vector<int64_t> times = TimesOf(segments, now_ms);
  for (size_t i = 0; i < times.size(); ++i)
    times[i] = std::max({times[i], i == 0 ? int64_t{-1} : times[i - 1]});
  return times;
}

}  // namespace varve
