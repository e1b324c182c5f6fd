// SPDX-License-Identifier: Apache-2.0

#include "varve/log/partition/apply_retention.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/recovery/segment_listing.h"
#include "varve/log/retention/retention_policy.h"
#include "varve/log/retention/retention_segments.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

RetentionLimits LimitsOf(const LogConfig& config) {
  return {.retention_ms = config.retention_ms,
          .retention_bytes = config.retention_bytes,
          .segment_ms = config.segment_ms,
          .cleanup_policy = config.cleanup_policy};
}

// How many segments' batches decide about their age: those to delete, and the
// first one that stays, unless it is the last.
int64_t CountToVerify(const RetentionDecision& decision, size_t segments) {
  return std::max(
      decision.count(),
      std::min(decision.count() + 1, static_cast<int64_t>(segments) - 1));
}

// Decides, and again as long as a segment that would be deleted, or stay, for
// its age turns out to have another timestamp than its index says. Deletes
// nothing when another thread trims the log meanwhile: the next call decides.
absl::StatusOr<RetentionDecision> Decide(
    PartitionLog& log, std::vector<RetentionSegment>& segments,
    const RetentionLimits& limits, int64_t now_ms) {
  int64_t verified = 0;
  while (true) {
    const RetentionDecision decision =
        DecideRetention({.segments = segments,
                         .durable_end = log.durable_end(),
                         .now_ms = now_ms},
                        limits);
    const int64_t count =
        limits.retention_ms < 0 ? 0 : CountToVerify(decision, segments.size());
    CHECK_LE(count, std::ssize(segments));
    bool changed = false;
    for (; verified < count && !changed; ++verified) {
      if (verified < decision.over_bytes_count) continue;
      RetentionSegment& segment = segments[static_cast<size_t>(verified)];
      const absl::StatusOr<int64_t> timestamp_ms =
          log.retention_segments().VerifyTimestamp(segment.base_offset);
      if (!timestamp_ms.ok() && segment.next_offset <= log.log_start())
        return RetentionDecision();
      if (!timestamp_ms.ok()) return timestamp_ms.status();
      changed = segment.max_timestamp_ms != *timestamp_ms;
      segment.max_timestamp_ms = *timestamp_ms;
    }
    if (!changed) return decision;
  }
}

// Decides by retention.bytes alone, for segments that are durable or not, but
// never for the active one; deletes nothing without that limit.
absl::StatusOr<RetentionDecision> DecideByBytes(PartitionLog& log,
                                                const LogConfig& config) {
  const absl::StatusOr<std::vector<RetentionSegment>> segments =
      log.retention_segments().CollectSizes(log.visible_end());
  if (!segments.ok()) return segments.status();
  if (segments->empty()) return RetentionDecision();
  return DecideRetention(
      {.segments = *segments, .durable_end = segments->back().base_offset},
      {.retention_bytes = config.retention_bytes,
       .cleanup_policy = config.cleanup_policy});
}

}  // namespace

bool HasRetention(const LogConfig& config) {
  return config.cleanup_policy != CleanupPolicy::kCompact &&
         (config.retention_ms >= 0 || config.retention_bytes >= 0);
}

absl::StatusOr<RetentionDecision> ApplyRetention(PartitionLog& log,
                                                 absl::Time now) {
  const LogConfig config = log.config();
  if (!HasRetention(config)) return RetentionDecision();
  const int64_t now_ms = absl::ToUnixMillis(now);
  absl::StatusOr<std::vector<RetentionSegment>> segments =
      log.retention_segments().Collect(log.visible_end(), now_ms);
  if (!segments.ok()) return segments.status();
  absl::StatusOr<RetentionDecision> decision =
      Decide(log, *segments, LimitsOf(config), now_ms);
  if (!decision.ok()) return decision;
  CHECK_LE(decision->log_start, log.durable_end());
  const absl::Status rolled = decision->roll ? log.Roll() : absl::OkStatus();
  int64_t log_start = decision->log_start;
  if (!rolled.ok() &&
      decision->count() == static_cast<int64_t>(segments->size())) {
    // Without a new segment the last one has to stay; the others need not.
    log_start = segments->back().base_offset;
  }
  if (log_start > log.log_start()) {
    const absl::Status moved = log.MoveLogStart(log_start);
    if (!moved.ok()) return moved;
  }
  if (!rolled.ok()) return rolled;
  return decision;
}

absl::StatusOr<int64_t> CountOverBytes(PartitionLog& log) {
  const LogConfig config = log.config();
  if (!HasRetention(config) || config.retention_bytes < 0) return 0;
  const absl::StatusOr<RetentionDecision> decision = DecideByBytes(log, config);
  if (!decision.ok()) return decision.status();
  return decision->over_bytes_count + log.trimmed_count();
}

absl::Status ApplyRetentionBytes(PartitionLog& log) {
  const absl::StatusOr<RetentionDecision> decision =
      DecideByBytes(log, log.config());
  if (!decision.ok()) return decision.status();
  if (decision->log_start <= log.log_start()) return absl::OkStatus();
  return log.MoveLogStart(decision->log_start);
}

absl::StatusOr<bool> MayNeedRetention(Directory& directory,
                                      const LogConfig& config, absl::Time now) {
  const absl::StatusOr<std::vector<int64_t>> bases = ListSegments(directory);
  if (!bases.ok()) return bases.status();
  std::vector<RetentionSegment> segments;
  for (size_t i = 0; i < bases->size(); ++i) {
    const bool is_end = i == 0 || i + 1 == bases->size();
    segments.push_back({.base_offset = (*bases)[i]});
    if (!is_end && config.retention_bytes < 0) continue;
    absl::StatusOr<RetentionSegment> facts =
        ReadRetentionSegment(directory, (*bases)[i]);
    // The log was opened and trimmed meanwhile: the open log decides.
    if (absl::IsNotFound(facts.status())) return true;
    if (!facts.ok()) return facts.status();
    segments.back() = *facts;
  }
  const RetentionDecision decision =
      DecideRetention({.segments = segments,
                       .durable_end = std::numeric_limits<int64_t>::max(),
                       .now_ms = absl::ToUnixMillis(now)},
                      LimitsOf(config));
  return decision.count() > 0 || decision.roll;
}

}  // namespace varve
