// SPDX-License-Identifier: Apache-2.0

#include "log/segment_list.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "log/file_system.h"
#include "log/segment.h"

namespace varve {

SegmentList::SegmentList(Directory* directory,
                         const std::vector<int64_t>& bases,
                         std::optional<int64_t> last_size)
    : directory_(directory) {
  entries_.reserve(bases.size());
  for (int64_t base : bases) entries_.push_back({.base_offset = base});
  if (last_size.has_value() && !entries_.empty())
    entries_.back().size_max = *last_size;
}

int64_t SegmentList::IndexOf(int64_t offset) const {
  auto above = std::upper_bound(entries_.begin(), entries_.end(), offset,
                                [](int64_t value, const Entry& entry) {
                                  return value < entry.base_offset;
                                });
  return (above - entries_.begin()) - 1;
}

absl::StatusOr<SegmentList::Found> SegmentList::Find(int64_t offset) {
  Found found;
  int64_t base_offset = 0;
  int64_t size_max = 0;
  {
    absl::ReaderMutexLock lock(&mu_);
    const int64_t i = IndexOf(offset);
    if (i < 0) {
      return absl::NotFoundError(absl::StrCat(
          directory_->path(), ": no segment holds offset ", offset));
    }
    const Entry& entry = entries_[static_cast<size_t>(i)];
    found.segment = entry.segment;
    base_offset = entry.base_offset;
    size_max = entry.size_max;
    if (i + 1 < static_cast<int64_t>(entries_.size())) {
      found.next_base_offset = entries_[static_cast<size_t>(i) + 1].base_offset;
    }
  }
  if (found.segment != nullptr) return found;
  auto opened = Segment::OpenReadOnly(*directory_, base_offset, size_max);
  if (absl::IsNotFound(opened.status())) {
    return absl::DataLossError(
        absl::StrCat(opened.status().message(), ": the segment is gone"));
  }
  if (!opened.ok()) return opened.status();
  absl::MutexLock lock(&mu_);
  // Another reader may have been faster, or the writer have opened it.
  Entry& entry = entries_[static_cast<size_t>(IndexOf(base_offset))];
  if (entry.segment == nullptr) entry.segment = *std::move(opened);
  found.segment = entry.segment;
  return found;
}

void SegmentList::PutLast(std::shared_ptr<Segment> segment) {
  absl::MutexLock lock(&mu_);
  const int64_t base_offset = segment->base_offset();
  if (entries_.empty() || entries_.back().base_offset < base_offset) {
    entries_.push_back({.base_offset = base_offset});
  }
  entries_.back().segment = std::move(segment);
}

std::optional<int64_t> SegmentList::last_base_offset() const {
  absl::ReaderMutexLock lock(&mu_);
  if (entries_.empty()) return std::nullopt;
  return entries_.back().base_offset;
}

std::optional<int64_t> SegmentList::first_base_offset() const {
  absl::ReaderMutexLock lock(&mu_);
  if (entries_.empty()) return std::nullopt;
  return entries_.front().base_offset;
}

int64_t SegmentList::count() const {
  absl::ReaderMutexLock lock(&mu_);
  return static_cast<int64_t>(entries_.size());
}

}  // namespace varve
