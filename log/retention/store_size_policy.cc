// SPDX-License-Identifier: Apache-2.0

#include "varve/log/retention/store_size_policy.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <queue>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/retention/retention_policy.h"

namespace varve {
namespace {

constexpr int64_t kUnknownTime = std::numeric_limits<int64_t>::max();

// How many segments of the log may go.
size_t CountDeletable(const StoreSizeLog& log) {
  if (log.cleanup_policy == CleanupPolicy::kCompact) return 0;
  size_t count = 0;
  while (count + 1 < log.segments.size() &&
         log.segments[count].next_offset <= log.durable_end) {
    ++count;
  }
  return count;
}

// Takes the segments that may go, the oldest ones first.
class Oldest {
 public:
  Oldest(const StoreSizeInputs& inputs, std::vector<int64_t>& counts)
      : logs_(inputs.logs), counts_(counts) {
    for (const StoreSizeLog& log : logs_) {
      deletable_.push_back(CountDeletable(log));
      times_.push_back(RetentionTimes(log.segments, inputs.now_ms));
    }
    for (size_t i = 0; i < logs_.size(); ++i) PutNext(i);
  }

  bool empty() const { return next_.empty(); }

  const RetentionSegment& Take() {
    const size_t log = next_.top().second;
    next_.pop();
    const auto segment = static_cast<size_t>(counts_[log]++);
    PutNext(log);
    return logs_[log].segments[segment];
  }

 private:
  using Next = std::pair<int64_t, size_t>;  // the time, and which log

  void PutNext(size_t log) {
    const auto segment = static_cast<size_t>(counts_[log]);
    if (segment >= deletable_[log]) return;
    const int64_t time = times_[log][segment];
    next_.emplace(time < 0 ? kUnknownTime : time, log);
  }

  const absl::Span<const StoreSizeLog> logs_;
  std::vector<int64_t>& counts_;
  std::vector<size_t> deletable_;
  std::vector<std::vector<int64_t>> times_;
  std::priority_queue<Next, std::vector<Next>, std::greater<>> next_;
};

}  // namespace

StoreSizeDecision DecideStoreSize(const StoreSizeInputs& inputs) {
  StoreSizeDecision decision;
  decision.counts.resize(inputs.logs.size());
  for (const StoreSizeLog& log : inputs.logs) {
    for (const RetentionSegment& segment : log.segments)
      decision.left_bytes += segment.size_bytes;
  }
  if (decision.left_bytes <= inputs.size_max_bytes) return decision;
  Oldest oldest(inputs, decision.counts);
  while (decision.left_bytes > inputs.size_max_bytes && !oldest.empty()) {
    const RetentionSegment& segment = oldest.Take();
    ++decision.deleted_count;
    decision.deleted_bytes += segment.size_bytes;
    decision.left_bytes -= segment.size_bytes;
  }
  return decision;
}

}  // namespace varve
