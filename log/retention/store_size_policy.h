// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_RETENTION_STORE_SIZE_POLICY_H_
#define VARVE_LOG_RETENTION_STORE_SIZE_POLICY_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/retention/retention_policy.h"

namespace varve {

// The facts of one partition that the limit of its store needs.
struct StoreSizeLog {
  // All segments, oldest first; the last one is the one that grows.
  std::vector<RetentionSegment> segments;
  int64_t durable_end = 0;
  CleanupPolicy cleanup_policy = CleanupPolicy::kDelete;
};

struct StoreSizeInputs {
  absl::Span<const StoreSizeLog> logs;
  int64_t size_max_bytes = 0;
  int64_t now_ms = 0;  // as RetentionInputs has it
};

struct StoreSizeDecision {
  // How many segments are deleted from each of the logs, from the oldest on.
  std::vector<int64_t> counts;
  int64_t deleted_count = 0;  // of all
  int64_t deleted_bytes = 0;
  int64_t left_bytes = 0;  // of all logs, then
};

// Decides which segments of a store are deleted so that all together are no
// more than `size_max_bytes`: as long as they are more, the oldest one goes of
// those that may:
//
//   | the segment                                             |            |
//   |---------------------------------------------------------|------------|
//   | of a topic that is compacted only                       | stays      |
//   | is the last one of its log                              | stays      |
//   | ends past the durable end                               | stays      |
//   | follows one of its log that stays                       | stays      |
//   | otherwise                                               | may go     |
//
// How old a segment is says RetentionTimes: so one that stands behind a younger
// one of its log counts as that. Those that have no time go last; of two of one
// time the one of the earlier log goes first.
//
// Thread safety: a pure function.
StoreSizeDecision DecideStoreSize(const StoreSizeInputs& inputs);

}  // namespace varve

#endif  // VARVE_LOG_RETENTION_STORE_SIZE_POLICY_H_
