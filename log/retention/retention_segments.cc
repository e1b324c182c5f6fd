// SPDX-License-Identifier: Apache-2.0

#include "varve/log/retention/retention_segments.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/index/time_index.h"
#include "varve/index/transaction_index.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/read_only/read_only_segment.h"
#include "varve/log/read_only/read_only_segment_search.h"
#include "varve/log/retention/retention_policy.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/index_file_search.h"
#include "varve/log/segment/largest_timestamp.h"
#include "varve/log/segment/segment.h"
#include "varve/log/segment/segment_list.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// The timestamp of the last entry of a time index; -1 without one that its
// batch agrees with.
int64_t LastIndexedTimestamp(Directory& directory, int64_t base_offset) {
  auto index = directory.OpenFile(
      SegmentFileName(base_offset, SegmentFileKind::kTimeIndex),
      OpenMode::kRead);
  if (!index.ok()) return -1;
  const absl::StatusOr<std::optional<TimestampOffset>> last =
      FindFinalTimeEntry(**index, base_offset);
  if (!last.ok() || !last->has_value()) return -1;
  const absl::StatusOr<std::shared_ptr<ReadOnlySegment>> segment =
      ReadOnlySegment::Open(directory, base_offset);
  if (!segment.ok()) return -1;
  const absl::StatusOr<std::optional<BatchPlace>> batch =
      FindLiveBatchOf(directory, **segment, **last);
  return batch.ok() && batch->has_value() ? (*last)->timestamp_ms : -1;
}

// The facts of a segment, and whether its timestamp comes from its batches.
struct Facts {
  RetentionSegment segment;
  bool verified = false;
};

absl::StatusOr<RetentionSegment> ReadLogFile(Directory& directory,
                                             int64_t base_offset) {
  auto file = directory.OpenFile(
      SegmentFileName(base_offset, SegmentFileKind::kLog), OpenMode::kRead);
  if (!file.ok()) return file.status();
  const absl::StatusOr<int64_t> size = (*file)->Size();
  if (!size.ok()) return size.status();
  const absl::StatusOr<absl::Time> modified = (*file)->ModifiedAt();
  if (!modified.ok()) return modified.status();
  return RetentionSegment{.base_offset = base_offset,
                          .size_bytes = *size,
                          .modified_ms = absl::ToUnixMillis(*modified)};
}

// A sidecar has the timestamp of the batches when they were sealed; one for a
// file of another length does not describe the present segment.
absl::StatusOr<Facts> ReadFacts(Directory& directory, int64_t base_offset) {
  absl::StatusOr<RetentionSegment> segment =
      ReadLogFile(directory, base_offset);
  if (!segment.ok()) return segment.status();
  const std::optional<SegmentSidecar> sidecar =
      ReadSidecarOf(directory, base_offset, segment->size_bytes);
  segment->max_timestamp_ms =
      sidecar.has_value() ? sidecar->max_timestamp_ms
                          : LastIndexedTimestamp(directory, base_offset);
  return Facts{.segment = *segment, .verified = sidecar.has_value()};
}

// The facts of an open segment, from memory. One that has no name yet was made
// a moment ago.
RetentionSegment FactsInMemory(const Segment& segment, int64_t now_ms) {
  return {.base_offset = segment.base_offset(),
          .size_bytes = std::ssize(segment.visible_bytes()),
          .max_timestamp_ms = segment.largest_timestamp_ms().value_or(-1),
          .modified_ms = now_ms};
}

bool HasNoName(const SegmentList::Listed& listed) {
  return listed.segment != nullptr && !listed.segment->has_name();
}

}  // namespace

absl::StatusOr<RetentionSegment> ReadRetentionSegment(Directory& directory,
                                                      int64_t base_offset) {
  absl::StatusOr<Facts> facts = ReadFacts(directory, base_offset);
  if (!facts.ok()) return facts.status();
  return facts->segment;
}

absl::StatusOr<std::vector<RetentionSegment>> RetentionSegments::Collect(
    int64_t log_end, int64_t now_ms) {
  absl::MutexLock lock(&mu_);
  const std::vector<SegmentList::Listed> listed = segments_->List();
  std::vector<RetentionSegment> all;
  for (size_t i = 0; i < listed.size(); ++i) {
    absl::StatusOr<RetentionSegment> facts =
        i + 1 < listed.size()
            ? FactsOf(listed[i], listed[i + 1].base_offset, now_ms)
            : FactsOfLast(listed[i], log_end, now_ms);
    if (facts.ok()) {
      all.push_back(*facts);
    } else if (!absl::IsNotFound(facts.status())) {
      return facts.status();
    } else if (!IsGone(listed[i])) {
      return absl::DataLossError(facts.status().message());
    }
  }
  if (!all.empty()) {
    sealed_.erase(sealed_.begin(),
                  sealed_.lower_bound(all.front().base_offset));
  }
  return all;
}

// Whether the segment was trimmed or replaced since it was listed.
bool RetentionSegments::IsGone(const SegmentList::Listed& listed) const {
  return !segments_->HasBase(listed.base_offset);
}

void RetentionSegments::Forget(const OffsetRange& range) {
  absl::MutexLock lock(&mu_);
  sealed_.erase(sealed_.lower_bound(range.from), sealed_.lower_bound(range.to));
}

absl::StatusOr<RetentionSegment> RetentionSegments::FactsOf(
    const SegmentList::Listed& listed, int64_t next_offset, int64_t now_ms) {
  if (HasNoName(listed)) {
    RetentionSegment facts = FactsInMemory(*listed.segment, now_ms);
    facts.next_offset = next_offset;
    return facts;
  }
  auto known = sealed_.find(listed.base_offset);
  if (known == sealed_.end()) {
    absl::StatusOr<Facts> facts = ReadFacts(*directory_, listed.base_offset);
    if (!facts.ok()) return facts.status();
    if (listed.segment != nullptr) {
      // Its file may not be cut to its length yet: that happens after the roll.
      facts->segment.size_bytes =
          static_cast<int64_t>(listed.segment->visible_bytes().size());
      const auto largest_ms = listed.segment->largest_timestamp_ms();
      facts->verified = facts->verified || largest_ms.has_value();
      facts->segment.max_timestamp_ms =
          largest_ms.value_or(facts->segment.max_timestamp_ms);
    }
    known =
        sealed_
            .emplace(listed.base_offset, Sealed{.facts = facts->segment,
                                                .verified = facts->verified})
            .first;
  }
  known->second.facts.next_offset = next_offset;
  return known->second.facts;
}

// While the last segment is open, its file is longer than its batches, and its
// index has no final entry.
absl::StatusOr<RetentionSegment> RetentionSegments::FactsOfLast(
    const SegmentList::Listed& listed, int64_t log_end, int64_t now_ms) {
  const bool is_known = listed.segment != nullptr &&
                        listed.segment->largest_timestamp_ms().has_value();
  absl::StatusOr<RetentionSegment> facts =
      HasNoName(listed) ? FactsInMemory(*listed.segment, now_ms)
      : is_known        ? ReadLogFile(*directory_, listed.base_offset)
                        : ReadRetentionSegment(*directory_, listed.base_offset);
  if (!facts.ok()) return facts;
  if (listed.segment != nullptr) {
    facts->size_bytes =
        static_cast<int64_t>(listed.segment->visible_bytes().size());
    facts->max_timestamp_ms = listed.segment->largest_timestamp_ms().value_or(
        facts->max_timestamp_ms);
  }
  facts->next_offset = log_end;
  if (log_end != std::exchange(last_end_, log_end)) last_moved_ms_ = now_ms;
  facts->modified_ms = std::max(facts->modified_ms, last_moved_ms_);
  return facts;
}

absl::StatusOr<std::vector<RetentionSegment>> RetentionSegments::CollectSizes(
    int64_t log_end) {
  absl::MutexLock lock(&mu_);
  const std::vector<SegmentList::Listed> listed = segments_->List();
  std::vector<RetentionSegment> all;
  for (size_t i = 0; i < listed.size(); ++i) {
    const bool is_last = i + 1 == listed.size();
    RetentionSegment sized = {
        .base_offset = listed[i].base_offset,
        .next_offset = is_last ? log_end : listed[i + 1].base_offset};
    if (listed[i].segment != nullptr) {
      sized.size_bytes = listed[i].segment->size();
    } else {
      const absl::StatusOr<RetentionSegment> facts =
          is_last ? ReadLogFile(*directory_, sized.base_offset)
                  : FactsOf(listed[i], sized.next_offset, /*now_ms=*/0);
      if (absl::IsNotFound(facts.status())) continue;
      if (!facts.ok()) return facts.status();
      sized.size_bytes = facts->size_bytes;
    }
    all.push_back(sized);
  }
  return all;
}

absl::StatusOr<int64_t> RetentionSegments::TotalBytes() {
  const absl::StatusOr<std::vector<RetentionSegment>> all = CollectSizes(0);
  if (!all.ok()) return all.status();
  int64_t total = 0;
  for (const RetentionSegment& segment : *all) total += segment.size_bytes;
  return total;
}

absl::StatusOr<int64_t> RetentionSegments::VerifyTimestamp(
    int64_t base_offset) {
  {
    absl::MutexLock lock(&mu_);
    auto known = sealed_.find(base_offset);
    if (known != sealed_.end() && known->second.verified) {
      return known->second.facts.max_timestamp_ms;
    }
  }
  const absl::StatusOr<SegmentList::Found> found = segments_->Find(base_offset);
  if (!found.ok()) return found.status();
  const int64_t largest_ms = FindLargestTimestamp(*found->segment);
  absl::MutexLock lock(&mu_);
  if (auto known = sealed_.find(base_offset); known != sealed_.end()) {
    known->second.facts.max_timestamp_ms = largest_ms;
    known->second.verified = true;
  }
  return largest_ms;
}

}  // namespace varve
