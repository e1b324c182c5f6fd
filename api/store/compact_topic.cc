// SPDX-License-Identifier: Apache-2.0

#include "varve/api/store/compact_topic.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/compaction/compaction_pass.h"
#include "varve/api/compaction/topic_compaction.h"
#include "varve/api/store/store_state.h"
#include "varve/log/compaction/compaction_stats.h"
#include "varve/log/partition/partition_compaction.h"

namespace varve {
namespace {

constexpr absl::Duration kWaitStep = absl::Milliseconds(20);

PartitionCompacted ReportOf(int32_t partition, const CompactionReport& report) {
  PartitionCompacted compacted = {
      .partition = partition,
      .dirty_ratio = report.decision.range.dirty_ratio()};
  if (!report.result.has_value()) return compacted;
  const CleaningStats& stats = report.result->stats.cleaning;
  compacted.compacted = true;
  compacted.bytes_before = report.result->bytes_replaced;
  compacted.bytes_after = report.result->bytes_written;
  compacted.records_removed = stats.records_superseded +
                              stats.tombstones_expired +
                              stats.records_without_key + stats.records_aborted;
  compacted.clean_end = report.result->first_dirty;
  return compacted;
}

}  // namespace

absl::StatusOr<std::vector<PartitionCompacted>> CompactTopicOf(
    StoreState& store, std::string_view name, CompactWhen when) {
  const absl::StatusOr<Topic> topic = store.topics().FindTopic(name);
  if (!topic.ok()) return topic.status();
  if (!IsCompacted(topic->config.log)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "topic \"", name, "\" is not compacted: its cleanup.policy is delete"));
  }
  // It ends early when the store is closed, which waits for this call.
  const auto wait = [&store](absl::Duration time) {
    for (; time > absl::ZeroDuration(); time -= kWaitStep) {
      if (store.calls().is_closed()) return false;
      absl::SleepFor(std::min(time, kWaitStep));
    }
    return !store.calls().is_closed();
  };
  std::vector<PartitionCompacted> done;
  for (const int32_t partition : topic->PartitionNumbers()) {
    const absl::StatusOr<CompactionReport> report =
        store.compaction().RunPartition(topic->name, partition,
                                        when == CompactWhen::kDue
                                            ? CompactionRequest::When::kDue
                                            : CompactionRequest::When::kDirty,
                                        wait);
    if (!report.ok()) return report.status();
    done.push_back(ReportOf(partition, *report));
  }
  return done;
}

}  // namespace varve
