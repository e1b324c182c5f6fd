// SPDX-License-Identifier: Apache-2.0

#include "varve/log/retention/retention_policy.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace varve {

void PrintTo(const RetentionDecision& d, std::ostream* out) {
  *out << "{bytes " << d.over_bytes_count << ", age " << d.over_age_count
       << ", start " << d.log_start << ", roll " << d.roll << "}";
}

namespace {

constexpr int64_t kNow = 1'700'000'000'000;
constexpr int64_t kHour = 3'600'000;
constexpr int64_t kTenYears = 10 * 365 * 24 * kHour;
constexpr int64_t kRetention = 24 * kHour;

// Some days old, and just not old enough.
constexpr int64_t kOld = kNow - 3 * kRetention;
constexpr int64_t kOlder = kOld - kHour;
constexpr int64_t kKept = kNow - kRetention;
constexpr int64_t kFuture = kNow + kFutureSlackMs + 1;

// Segments of 10 offsets each.
std::vector<RetentionSegment> Numbered(std::vector<RetentionSegment> segments) {
  for (size_t i = 0; i < segments.size(); ++i) {
    segments[i].base_offset = static_cast<int64_t>(i) * 10;
    segments[i].next_offset = static_cast<int64_t>(i) * 10 + 10;
  }
  return segments;
}

RetentionDecision Decide(const std::vector<RetentionSegment>& segments,
                         const RetentionLimits& limits,
                         int64_t durable_end = 1000, int64_t now_ms = kNow) {
  return DecideRetention(
      {.segments = segments, .durable_end = durable_end, .now_ms = now_ms},
      limits);
}

// How many of the segments with these timestamps, and last writes, are deleted
// for age.
int64_t GoForAge(std::vector<RetentionSegment> segments,
                 int64_t now_ms = kNow) {
  for (RetentionSegment& segment : segments) segment.size_bytes = 100;
  return Decide(Numbered(segments), {.retention_ms = kRetention}, 1000, now_ms)
      .over_age_count;
}

// The header's tables once more, each row by itself.
class Restated {
 public:
  static bool None(int64_t t) { return t < 100'000'000'000; }
  static bool Future(int64_t t) { return t > kNow + 3'600'000; }
  static bool Past(int64_t t) { return !None(t) && !Future(t); }

  // -1 for none.
  static int64_t Time(const std::vector<RetentionSegment>& all, size_t i) {
    if (Past(all[i].max_timestamp_ms)) return all[i].max_timestamp_ms;
    if (Past(all[i].modified_ms)) return all[i].modified_ms;
    std::vector<int64_t> behind;
    for (size_t j = i + 1; j < all.size(); ++j) {
      if (Past(all[j].modified_ms)) behind.push_back(all[j].modified_ms);
    }
    return behind.empty() ? -1
                          : *std::min_element(behind.begin(), behind.end());
  }
  static int64_t BytesBehind(const std::vector<RetentionSegment>& all,
                             size_t i) {
    int64_t sum = 0;
    for (size_t j = i + 1; j < all.size(); ++j) sum += all[j].size_bytes;
    return sum;
  }
  static bool OverBytes(const std::vector<RetentionSegment>& all, size_t i,
                        const RetentionLimits& limits) {
    return limits.retention_bytes != -1 &&
           BytesBehind(all, i) >= limits.retention_bytes;
  }
  static bool OverAge(const std::vector<RetentionSegment>& all, size_t i,
                      const RetentionLimits& limits) {
    if (limits.retention_ms == -1 || Time(all, i) == -1) return false;
    for (size_t j = 0; j <= i; ++j) {
      if (Time(all, j) != -1 && kNow - Time(all, j) <= limits.retention_ms) {
        return false;
      }
    }
    return true;
  }
  static RetentionDecision Decide(const std::vector<RetentionSegment>& all,
                                  const RetentionLimits& limits,
                                  int64_t durable_end) {
    RetentionDecision decision;
    if (limits.cleanup_policy == CleanupPolicy::kCompact) return decision;
    if (limits.retention_ms == -1 && limits.retention_bytes == -1) {
      return decision;
    }
    for (size_t i = 0; i < all.size(); ++i) {
      const bool last = i + 1 == all.size();
      if (all[i].next_offset > durable_end) break;
      if (last && all[i].size_bytes == 0) break;
      const bool over_bytes = OverBytes(all, i, limits);
      if (!over_bytes && !OverAge(all, i, limits)) break;
      ++(over_bytes ? decision.over_bytes_count : decision.over_age_count);
      decision.log_start = all[i].next_offset;
      if (last) decision.roll = true;
    }
    const RetentionSegment& last = all.back();
    if (last.size_bytes > 0 && Past(last.modified_ms) &&
        kNow - last.modified_ms > limits.segment_ms) {
      decision.roll = true;
    }
    return decision;
  }
};

// Calls `check` with every list of `count` segments that can be made of these.
void ForEachList(
    size_t count, const std::vector<RetentionSegment>& kinds,
    const std::function<void(const std::vector<RetentionSegment>&)>& check) {
  std::vector<size_t> digits(count, 0);
  std::vector<RetentionSegment> segments(count);
  for (;;) {
    for (size_t i = 0; i < count; ++i) segments[i] = kinds[digits[i]];
    check(Numbered(segments));
    size_t at = 0;
    while (at < count && ++digits[at] == kinds.size()) digits[at++] = 0;
    if (at == count) return;
  }
}

std::vector<RetentionSegment> Kinds(const std::vector<int64_t>& sizes,
                                    const std::vector<int64_t>& timestamps,
                                    const std::vector<int64_t>& writes) {
  std::vector<RetentionSegment> kinds;
  for (int64_t size : sizes) {
    for (int64_t timestamp : timestamps) {
      for (int64_t modified : writes) {
        kinds.push_back({.size_bytes = size,
                         .max_timestamp_ms = timestamp,
                         .modified_ms = modified});
      }
    }
  }
  return kinds;
}

std::vector<RetentionLimits> AllLimits() {
  std::vector<RetentionLimits> all;
  for (int64_t age : {int64_t{-1}, int64_t{0}, kRetention}) {
    for (int64_t bytes : {-1, 0, 100, 101, 200}) {
      for (int64_t segment_ms : {kRetention, LogConfig::kForever}) {
        for (CleanupPolicy policy :
             {CleanupPolicy::kDelete, CleanupPolicy::kCompact,
              CleanupPolicy::kCompactAndDelete}) {
          all.push_back({.retention_ms = age,
                         .retention_bytes = bytes,
                         .segment_ms = segment_ms,
                         .cleanup_policy = policy});
        }
      }
    }
  }
  return all;
}

int64_t CheckAll(size_t count, const std::vector<RetentionSegment>& kinds) {
  const std::vector<RetentionLimits> all_limits = AllLimits();
  int64_t checked = 0;
  ForEachList(count, kinds, [&](const std::vector<RetentionSegment>& list) {
    for (const RetentionLimits& limits : all_limits) {
      for (size_t durable = 0; durable <= count; ++durable) {
        const auto durable_end = static_cast<int64_t>(durable) * 10;
        ++checked;
        const RetentionDecision expected =
            Restated::Decide(list, limits, durable_end);
        if (Decide(list, limits, durable_end) == expected) continue;
        EXPECT_EQ(Decide(list, limits, durable_end), expected);
      }
    }
  });
  return checked;
}

TEST(RetentionPolicyTest, EveryCombinationIsAsTheTablesSay) {
  EXPECT_GT(
      CheckAll(1, Kinds({0, 100},
                        {-1, 0, kPlausibleTimestampMs - 1,
                         kPlausibleTimestampMs, kOld, kKept, kNow, kFuture - 1,
                         kFuture, std::numeric_limits<int64_t>::max()},
                        {-1, 0, kOlder, kKept - 1, kKept, kFuture})),
      20'000);
  EXPECT_GT(CheckAll(2, Kinds({0, 100}, {-1, 0, kOld, kKept, kFuture},
                              {-1, kOlder, kKept, kFuture})),
            400'000);
  EXPECT_GT(CheckAll(3, Kinds({100}, {-1, kOld, kKept, kFuture},
                              {kOlder, kKept, kFuture})),
            600'000);
}

TEST(RetentionPolicyTest, NoSegmentsOrNoLimitDecideNothing) {
  EXPECT_EQ(Decide({}, {.retention_ms = 0, .retention_bytes = 0}),
            RetentionDecision());
  EXPECT_EQ(Decide(Numbered({{.size_bytes = 1, .max_timestamp_ms = kOld}}), {}),
            RetentionDecision());
}

TEST(RetentionPolicyTest, OneZeroOrOldTimestampDeletesNothingEarly) {
  EXPECT_EQ(GoForAge({{.max_timestamp_ms = 0, .modified_ms = kNow}}), 0);
  EXPECT_EQ(GoForAge({{.max_timestamp_ms = kKept},
                      {.max_timestamp_ms = kOld, .modified_ms = kNow}}),
            0);
}

TEST(RetentionPolicyTest, SecondsForMillisecondsDeleteNothingEarly) {
  const int64_t seconds = kNow / 1000;
  EXPECT_EQ(GoForAge({{.max_timestamp_ms = seconds, .modified_ms = kNow}}), 0);
  EXPECT_EQ(GoForAge({{.max_timestamp_ms = seconds, .modified_ms = kOld}}), 1);
}

TEST(RetentionPolicyTest, FutureTimestampsNeitherDeleteNorPin) {
  for (int64_t ahead : {kFutureSlackMs + 1, kTenYears, kNow * 1000}) {
    const int64_t future = kNow + ahead;
    EXPECT_EQ(GoForAge({{.max_timestamp_ms = future, .modified_ms = kKept}}),
              0);
    EXPECT_EQ(GoForAge({{.max_timestamp_ms = future, .modified_ms = kOld}}), 1);
  }
}

TEST(RetentionPolicyTest, FilesWrittenInTheFutureGoAfterTheOnesBehindThem) {
  // While the clock was ten years ahead, and after it was set right.
  const RetentionSegment ahead = {.max_timestamp_ms = kNow + kTenYears,
                                  .modified_ms = kNow + kTenYears};
  EXPECT_EQ(GoForAge({ahead}), 0);
  EXPECT_EQ(GoForAge({ahead, {.max_timestamp_ms = kNow, .modified_ms = kNow}}),
            0);
  EXPECT_EQ(GoForAge({ahead,
                      {.max_timestamp_ms = kOld, .modified_ms = kOld},
                      {.max_timestamp_ms = kNow, .modified_ms = kNow}}),
            2);
}

TEST(RetentionPolicyTest, ClockSetBackDeletesNothing) {
  EXPECT_EQ(GoForAge({{.max_timestamp_ms = kOld, .modified_ms = kOld},
                      {.max_timestamp_ms = kNow, .modified_ms = kNow}},
                     kNow - kTenYears),
            0);
}

TEST(RetentionPolicyTest,
     WhatWasWrittenWithAClockSetBackIsAsOldAsWhatIsBefore) {
  const RetentionSegment back = {.max_timestamp_ms = kNow - kTenYears,
                                 .modified_ms = kNow - kTenYears};
  EXPECT_EQ(GoForAge({{.max_timestamp_ms = kKept}, back}), 0);
  EXPECT_EQ(GoForAge({{.max_timestamp_ms = kOld}, back}), 2);
  // It stays, too, when the one before it is deleted for its size.
  const auto decision =
      Decide(Numbered({{.size_bytes = 100, .max_timestamp_ms = kKept},
                       {.size_bytes = 100,
                        .max_timestamp_ms = back.max_timestamp_ms,
                        .modified_ms = back.modified_ms},
                       {.size_bytes = 100, .max_timestamp_ms = kNow}}),
             {.retention_ms = kRetention, .retention_bytes = 200});
  EXPECT_EQ(decision,
            (RetentionDecision{.over_bytes_count = 1, .log_start = 10}));
}

TEST(RetentionPolicyTest, LargestValuesDoNotOverflow) {
  const int64_t max = std::numeric_limits<int64_t>::max();
  const auto segments = Numbered(
      {{.size_bytes = 1, .max_timestamp_ms = max, .modified_ms = max}});
  for (int64_t now : {int64_t{0}, int64_t{-5}, kNow, max}) {
    const auto decision =
        Decide(segments, {.retention_ms = max, .segment_ms = max}, max, now);
    EXPECT_EQ(decision.count(), 0) << now;
  }
}

}  // namespace
}  // namespace varve
