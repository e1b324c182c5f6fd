// SPDX-License-Identifier: Apache-2.0

#include "log/segment_facts.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "index/big_endian.h"
#include "index/time_index.h"
#include "log/file_system.h"
#include "log/largest_timestamp.h"
#include "log/retention_policy.h"
#include "log/segment.h"
#include "log/segment_list.h"
#include "log/segment_name.h"
#include "log/segment_sidecar.h"

namespace varve {
namespace {

// The timestamp of the last entry of a time index; -1 without a sound one.
int64_t LastIndexedTimestamp(Directory& directory, int64_t base_offset) {
  auto file = directory.OpenFile(
      SegmentFileName(base_offset, SegmentFileKind::kTimeIndex),
      OpenMode::kRead);
  if (!file.ok()) return -1;
  const absl::StatusOr<int64_t> size = (*file)->Size();
  constexpr int64_t kEntrySize = TimeIndex::kEntrySize;
  if (!size.ok() || *size < kEntrySize || *size % kEntrySize != 0) return -1;
  std::array<char, TimeIndex::kEntrySize> entry;
  const absl::StatusOr<size_t> read =
      (*file)->ReadAt(*size - kEntrySize, absl::MakeSpan(entry));
  if (!read.ok() || *read != entry.size()) return -1;
  return LoadBig64(entry.data());
}

// What is known of a segment, and whether its batches said it.
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

// A sidecar is what the batches said when they were sealed; one of a file of
// another length is not of this segment as it is.
absl::StatusOr<Facts> ReadFacts(Directory& directory, int64_t base_offset) {
  absl::StatusOr<RetentionSegment> segment =
      ReadLogFile(directory, base_offset);
  if (!segment.ok()) return segment.status();
  const absl::StatusOr<SegmentSidecar> sidecar =
      ReadSidecar(directory, base_offset);
  const bool holds = sidecar.ok() && sidecar->size_bytes == segment->size_bytes;
  segment->max_timestamp_ms =
      holds ? sidecar->max_timestamp_ms
            : LastIndexedTimestamp(directory, base_offset);
  return Facts{.segment = *segment, .verified = holds};
}

}  // namespace

absl::StatusOr<RetentionSegment> ReadSegmentFacts(Directory& directory,
                                                  int64_t base_offset) {
  absl::StatusOr<Facts> facts = ReadFacts(directory, base_offset);
  if (!facts.ok()) return facts.status();
  return facts->segment;
}

absl::StatusOr<std::vector<RetentionSegment>> SegmentFacts::Collect(
    int64_t log_end, int64_t now_ms) {
  const std::vector<SegmentList::Listed> listed = segments_->List();
  absl::MutexLock lock(&mu_);
  std::vector<RetentionSegment> all;
  for (size_t i = 0; i < listed.size(); ++i) {
    absl::StatusOr<RetentionSegment> facts =
        i + 1 < listed.size() ? FactsOf(listed[i], listed[i + 1].base_offset)
                              : FactsOfLast(listed[i], log_end, now_ms);
    if (!facts.ok()) return facts.status();
    all.push_back(*facts);
  }
  if (!all.empty()) {
    sealed_.erase(sealed_.begin(),
                  sealed_.lower_bound(all.front().base_offset));
  }
  return all;
}

absl::StatusOr<RetentionSegment> SegmentFacts::FactsOf(
    const SegmentList::Listed& listed, int64_t next_offset) {
  auto known = sealed_.find(listed.base_offset);
  if (known == sealed_.end()) {
    absl::StatusOr<Facts> facts = ReadFacts(*directory_, listed.base_offset);
    if (!facts.ok()) return facts.status();
    if (listed.segment != nullptr) {
      // It may not be trimmed yet: that happens behind the roll.
      facts->segment.size_bytes =
          static_cast<int64_t>(listed.segment->visible_bytes().size());
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

// While it is open its file is longer than its batches, and its index has no
// final entry.
absl::StatusOr<RetentionSegment> SegmentFacts::FactsOfLast(
    const SegmentList::Listed& listed, int64_t log_end, int64_t now_ms) {
  absl::StatusOr<RetentionSegment> facts =
      listed.segment == nullptr
          ? ReadSegmentFacts(*directory_, listed.base_offset)
          : ReadLogFile(*directory_, listed.base_offset);
  if (!facts.ok()) return facts;
  if (listed.segment != nullptr) {
    facts->size_bytes =
        static_cast<int64_t>(listed.segment->visible_bytes().size());
    facts->max_timestamp_ms =
        listed.segment->largest_timestamp_ms().value_or(-1);
  }
  facts->next_offset = log_end;
  if (log_end != std::exchange(last_end_, log_end)) last_moved_ms_ = now_ms;
  facts->modified_ms = std::max(facts->modified_ms, last_moved_ms_);
  return facts;
}

absl::StatusOr<std::vector<RetentionSegment>> SegmentFacts::CollectSizes(
    int64_t log_end) {
  const std::vector<SegmentList::Listed> listed = segments_->List();
  absl::MutexLock lock(&mu_);
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
                  : FactsOf(listed[i], sized.next_offset);
      if (absl::IsNotFound(facts.status())) continue;
      if (!facts.ok()) return facts.status();
      sized.size_bytes = facts->size_bytes;
    }
    all.push_back(sized);
  }
  return all;
}

absl::StatusOr<int64_t> SegmentFacts::TotalBytes() {
  const absl::StatusOr<std::vector<RetentionSegment>> all = CollectSizes(0);
  if (!all.ok()) return all.status();
  int64_t total = 0;
  for (const RetentionSegment& segment : *all) total += segment.size_bytes;
  return total;
}

absl::StatusOr<int64_t> SegmentFacts::VerifyTimestamp(int64_t base_offset) {
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
