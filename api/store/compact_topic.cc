// SPDX-License-Identifier: Apache-2.0

#include "varve/api/store/compact_topic.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
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
#include "varve/log/compaction/cleanable_range.h"
#include "varve/log/partition/partition_compaction.h"

namespace varve {
namespace {

constexpr absl::Duration kWaitStep = absl::Milliseconds(20);

PartitionCompacted ReportOf(int32_t partition, const CompactionReport& report) {
  const CleanableRange& range = report.decision.range;
  PartitionCompacted compacted = {.partition = partition,
                                  .dirty_ratio = range.dirty_ratio(),
                                  .was_due = report.decision.is_due()};
  if (!report.result.has_value()) return compacted;
  compacted.compacted = true;
  compacted.bytes_before = report.result->bytes_replaced;
  compacted.bytes_after = report.result->bytes_written;
  compacted.records_removed = report.result->stats.cleaning.records_removed();
  compacted.clean_end = report.result->first_dirty;
  compacted.has_more = report.result->first_dirty < range.end;
  return compacted;
}

// Without the wait of `request.pace`.
CompactionRequest RequestOf(int32_t partition, const CompactOptions& options) {
  CompactionRequest request = {.when = options.when == CompactWhen::kDue
                                           ? CompactionRequest::When::kDue
                                           : CompactionRequest::When::kDirty};
  if (options.dry_run) request.effect = CompactionRequest::Effect::kMeasure;
  if (options.progress != nullptr) {
    request.progress = [partition, &options](const CleaningProgress& progress) {
      options.progress({.partition = partition,
                        .bytes_read = progress.bytes_read,
                        .bytes_to_read = progress.bytes_to_read});
    };
  }
  return request;
}

}  // namespace

absl::StatusOr<std::vector<PartitionCompacted>> CompactTopicOf(
    StoreState& store, std::string_view name, const CompactOptions& options) {
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
    CompactionRequest request = RequestOf(partition, options);
    request.pace.wait = wait;
    const absl::StatusOr<CompactionReport> report =
        store.compaction().RunPartition(topic->name, partition,
                                        std::move(request));
    if (!report.ok()) return report.status();
    done.push_back(ReportOf(partition, *report));
  }
  return done;
}

}  // namespace varve
