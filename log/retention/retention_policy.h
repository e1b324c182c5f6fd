// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_RETENTION_RETENTION_POLICY_H_
#define VARVE_LOG_RETENTION_RETENTION_POLICY_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "varve/log/metadata/log_config.h"

namespace varve {

// The facts of one segment that retention needs.
struct RetentionSegment {
  int64_t base_offset = 0;
  // The base offset of the next segment; for the last one, the log end.
  int64_t next_offset = 0;
  int64_t size_bytes = 0;  // of its .log
  // The largest timestamp of its records; -1 when none has one.
  int64_t max_timestamp_ms = -1;
  // When its .log was last written, by the file system; -1 when not known.
  int64_t modified_ms = -1;
};

struct RetentionLimits {
  int64_t retention_ms = -1;     // -1: no limit
  int64_t retention_bytes = -1;  // -1: no limit
  int64_t segment_ms = LogConfig::kForever;
  CleanupPolicy cleanup_policy = CleanupPolicy::kDelete;
};

struct RetentionInputs {
  // All segments, oldest first; the last one is the one that grows.
  absl::Span<const RetentionSegment> segments;
  int64_t durable_end = 0;
  int64_t now_ms = 0;  // wall clock, as far as it is trusted (RetentionClock)
};

struct RetentionDecision {
  // How many segments are deleted, from the oldest on, and for which limit.
  int64_t over_bytes_count = 0;
  int64_t over_age_count = 0;
  // Where the log starts then, if any is deleted.
  int64_t log_start = 0;
  // Whether a new segment has to begin first: the last one is deleted too, or
  // it has been idle for segment.ms and is sealed so that it can be.
  bool roll = false;

  int64_t count() const { return over_bytes_count + over_age_count; }

  friend bool operator==(const RetentionDecision&,
                         const RetentionDecision&) = default;
};

// A timestamp this far ahead of the clock is one of the future.
inline constexpr int64_t kFutureSlackMs = 3'600'000;  // as Kafka's limit

// Timestamps below this count as none: zero, or seconds taken for milliseconds
// (in milliseconds this is March 1973, in seconds the year 5138).
inline constexpr int64_t kPlausibleTimestampMs = 100'000'000'000;

// Decides which segments to delete, by Kafka's rules except where these lose
// data by mistake, or keep it for ever.
//
// It walks from the oldest segment on, and ends at the first one that stays:
//
//   | the segment                                             |            |
//   |---------------------------------------------------------|------------|
//   | of a topic that is compacted only                       | stays      |
//   | ends past the durable end                               | stays      |
//   | is the last one, and empty                              | stays      |
//   | without it, retention.bytes or more are left            | is deleted |
//   | its age is above retention.ms                           | is deleted |
//   | otherwise                                               | stays      |
//
// A segment's age is the present time less its own, which is
//
//   | largest timestamp | its last write | a later segment's | time           |
//   |-------------------|----------------|-------------------|----------------|
//   | past              |                |                   | the timestamp  |
//   | none, or future   | past           |                   | its last write |
//   | none, or future   | none or future | past              | that; of       |
//   |                   |                |                   | several, the   |
//   |                   |                |                   | earliest       |
//   | none, or future   | none or future | none or future    | none: it stays |
//
// and never before the time of an earlier segment: the running maximum. "None"
// includes times below kPlausibleTimestampMs, and "future" means more than
// kFutureSlackMs ahead. So, unlike with Kafka,
//  - a record of timestamp zero, or of seconds for milliseconds, deletes
//    nothing early: the time of its file counts;
//  - a record of the far future pins nothing for ever: no segment was written
//    after its last write, nor after that of a later one;
//  - records written while the clock was set back are as old as those before
//    them.
//
// Thread safety: a pure function.
RetentionDecision DecideRetention(const RetentionInputs& inputs,
                                  const RetentionLimits& limits);

// The times of the segments of one partition, oldest segment first, by the
// second table above, the running maximum included; -1 as long as there is none
// yet.
std::vector<int64_t> RetentionTimes(absl::Span<const RetentionSegment> segments,
                                    int64_t now_ms);

}  // namespace varve

#endif  // VARVE_LOG_RETENTION_RETENTION_POLICY_H_
