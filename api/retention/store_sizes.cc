// SPDX-License-Identifier: Apache-2.0

#include "varve/api/retention/store_sizes.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/partitions/partition_table.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/metadata/topic_name.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/recovery/segment_listing.h"
#include "varve/log/retention/retention_policy.h"
#include "varve/log/retention/retention_segments.h"
#include "varve/log/retention/store_size_policy.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// The store's own topics are kept, whatever their config says.
CleanupPolicy PolicyOf(const Topic& topic) {
  return IsInternalTopicName(topic.name) ? CleanupPolicy::kCompact
                                         : topic.config.log.cleanup_policy;
}

}  // namespace

std::vector<StoreSizes::Sized> StoreSizes::Collect(
    absl::Time now, const OnFailure& on_failure) {
  std::vector<Sized> all;
  std::map<Key, std::vector<RetentionSegment>> before;
  before.swap(closed_);  // what is not taken over belongs to deleted topics
  for (const Topic& topic : topics_()) {
    for (int32_t i = 0; i < topic.config.partitions; ++i) {
      auto known = before.extract(Key(topic.id, i));
      if (!known.empty()) closed_.insert(std::move(known));
      Sized sized = {.topic = topic, .partition = i};
      auto log = partitions_->FindOpen(topic, i);
      absl::Status status = log.status();
      if (log.ok()) {
        sized.log = *std::move(log);
        absl::StatusOr<StoreSizeLog> measured = Measure(sized, now);
        status = measured.status();
        if (measured.ok()) sized.of = *std::move(measured);
      }
      if (status.ok()) {
        all.push_back(std::move(sized));
      } else if (!absl::IsNotFound(status)) {
        on_failure(PartitionDirectoryName(topic.name, i), status);
      }
    }
  }
  return all;
}

absl::StatusOr<StoreSizeLog> StoreSizes::Measure(const Sized& sized,
                                                 absl::Time now) {
  const Key key(sized.topic.id, sized.partition);
  StoreSizeLog of;
  of.cleanup_policy = PolicyOf(sized.topic);
  absl::StatusOr<std::vector<RetentionSegment>> segments;
  if (sized.log != nullptr) {
    closed_.erase(key);
    of.durable_end = sized.log->durable_end();
    segments = sized.log->retention_segments().Collect(sized.log->visible_end(),
                                                       absl::ToUnixMillis(now));
  } else {
    of.durable_end = std::numeric_limits<int64_t>::max();
    auto known = closed_.find(key);
    if (known == closed_.end()) {
      segments = ReadFiles(sized.topic, sized.partition);
      if (segments.ok()) closed_.emplace(key, *segments);
    } else {
      segments = known->second;
    }
  }
  if (!segments.ok()) return segments.status();
  of.segments = *std::move(segments);
  return of;
}

absl::StatusOr<std::vector<RetentionSegment>> StoreSizes::ReadFiles(
    const Topic& topic, int32_t partition) const {
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      directory_->OpenDirectory(PartitionDirectoryName(topic.name, partition));
  if (!directory.ok()) return directory.status();
  const absl::StatusOr<std::vector<int64_t>> bases = ListSegments(**directory);
  if (!bases.ok()) return bases.status();
  std::vector<RetentionSegment> segments;
  for (size_t i = 0; i < bases->size(); ++i) {
    absl::StatusOr<RetentionSegment> facts =
        ReadRetentionSegment(**directory, (*bases)[i]);
    if (!facts.ok()) return facts.status();
    facts->next_offset = i + 1 < bases->size() ? (*bases)[i + 1] : 0;
    segments.push_back(*facts);
  }
  return segments;
}

}  // namespace varve
