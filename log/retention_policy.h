// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_RETENTION_POLICY_H_
#define VARVE_LOG_RETENTION_POLICY_H_

#include <cstdint>

#include "absl/types/span.h"
#include "log/log_config.h"

namespace varve {

// What retention knows of one segment.
struct RetentionSegment {
  int64_t base_offset = 0;
  // The base offset of the segment behind; of the last one, the log end.
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
  // The segments that go: this many, from the oldest on, and for which limit.
  int64_t over_bytes_count = 0;
  int64_t over_age_count = 0;
  // Where the log starts then, if any goes.
  int64_t log_start = 0;
  // Whether a new segment has to begin first: the last one goes too, or it has
  // been idle for segment.ms and is sealed so that it can.
  bool roll = false;

  int64_t count() const { return over_bytes_count + over_age_count; }

  friend bool operator==(const RetentionDecision&,
                         const RetentionDecision&) = default;
};

// A timestamp this far ahead of the clock is one of the future.
inline constexpr int64_t kFutureSlackMs = 3'600'000;  // as Kafka's limit of it

// Timestamps below are none: zero, or seconds taken for milliseconds (in
// milliseconds this is March 1973, in seconds the year 5138).
inline constexpr int64_t kPlausibleTimestampMs = 100'000'000'000;

// Which segments are to be deleted: Kafka's rules, where they do not lose data
// by mistake, or keep it for ever.
//
// Oldest first, and what is met first to be kept ends it:
//
//   | the segment                                                  |       |
//   |--------------------------------------------------------------|-------|
//   | of a topic that is compacted only                            | stays |
//   | ends behind the durable end                                  | stays |
//   | is the last one, and empty                                   | stays |
//   | without it, retention.bytes or more are left                 | goes  |
//   | its age is above retention.ms                                | goes  |
//   | otherwise                                                    | stays |
//
// A segment's age is now less its time, which is
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
// and never before the time of a segment in front of it: the running maximum.
// "None" is also what is below kPlausibleTimestampMs, "future" what is more
// than kFutureSlackMs ahead. So, other than with Kafka,
//  - a record of timestamp zero, or of seconds for milliseconds, deletes
//    nothing early: the time of its file counts;
//  - a record of the far future pins nothing for ever: no segment was written
//    after its last write, nor after one behind it;
//  - what was written while the clock was set back is as old as what stands
//    before it.
//
// Thread safety: a pure function.
RetentionDecision DecideRetention(const RetentionInputs& inputs,
                                  const RetentionLimits& limits);

}  // namespace varve

#endif  // VARVE_LOG_RETENTION_POLICY_H_
