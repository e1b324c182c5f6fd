// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/segment_list.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "varve/index/transaction_index.h"
#include "varve/log/segment/open_segments.h"
#include "varve/log/segment/read_errors.h"
#include "varve/log/segment/segment.h"
#include "varve/log/segment/segment_pins.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/system/file_system.h"

namespace varve {

SegmentList::SegmentList(Directory* directory,
                         const std::vector<int64_t>& bases,
                         std::optional<int64_t> last_size,
                         std::shared_ptr<OpenSegments> open, SegmentPins* pins,
                         std::function<void()> before_open)
    : directory_(directory),
      open_(std::move(open)),
      pins_(pins),
      before_open_(std::move(before_open)) {
  CHECK(std::is_sorted(bases.begin(), bases.end()));
  entries_.reserve(bases.size());
  for (int64_t base : bases) entries_.push_back({.base_offset = base});
  if (last_size.has_value() && !entries_.empty())
    entries_.back().size_max = *last_size;
}

SegmentList::~SegmentList() {
  absl::MutexLock lock(&mu_);
  CountOpen(-open_count_);
}

void SegmentList::CountOpen(int64_t change) {
  open_count_ += change;
  CHECK_GE(open_count_, 0);
  open_->mapped.fetch_add(change, std::memory_order_relaxed);
}

bool SegmentList::HoldsAt(size_t i, int64_t offset) const {
  return i < entries_.size() && entries_[i].base_offset <= offset &&
         (i + 1 == entries_.size() || offset < entries_[i + 1].base_offset);
}

int64_t SegmentList::IndexOf(int64_t offset) const {
  const size_t found = last_found_.load(std::memory_order_relaxed);
  for (const size_t i : {found, found + 1}) {
    if (HoldsAt(i, offset)) return static_cast<int64_t>(i);
  }
  auto above = std::upper_bound(entries_.begin(), entries_.end(), offset,
                                [](int64_t value, const Entry& entry) {
                                  return value < entry.base_offset;
                                });
  return (above - entries_.begin()) - 1;
}

absl::StatusOr<SegmentList::Found> SegmentList::Find(int64_t offset) {
  while (true) {
    absl::StatusOr<Place> place = FindPlace(offset);
    if (!place.ok()) return place.status();
    if (place->found.segment != nullptr) return std::move(place->found);
    before_open_();
    auto opened =
        Segment::OpenReadOnly(*directory_, place->base_offset, place->size_max);
    if (!PutOpened(*place, opened.ok() ? *opened : nullptr)) continue;
    if (absl::IsNotFound(opened.status())) {
      return DamagedRead(
          absl::StrCat(opened.status().message(), ": the segment is gone"),
          place->found.next_base_offset);
    }
    if (!opened.ok()) return opened.status();
  }
}

absl::StatusOr<SegmentList::Place> SegmentList::FindPlace(
    int64_t offset) const {
  absl::ReaderMutexLock lock(&mu_);
  const int64_t i = IndexOf(offset);
  if (i < 0) {
    return absl::NotFoundError(
        absl::StrCat(directory_->path(), ": no segment holds offset ", offset));
  }
  // Stored only when it changes, so that readers share its cache line.
  if (last_found_.load(std::memory_order_relaxed) != static_cast<size_t>(i))
    last_found_.store(static_cast<size_t>(i), std::memory_order_relaxed);
  const Entry& entry = entries_[static_cast<size_t>(i)];
  Place place = {.base_offset = entry.base_offset,
                 .size_max = entry.size_max,
                 .generation = generation_,
                 .found = {.segment = entry.segment}};
  if (i + 1 < static_cast<int64_t>(entries_.size())) {
    place.found.next_base_offset =
        entries_[static_cast<size_t>(i) + 1].base_offset;
  }
  return place;
}

bool SegmentList::PutOpened(const Place& place,
                            std::shared_ptr<Segment> segment) {
  absl::MutexLock lock(&mu_);
  if (generation_ != place.generation) return false;
  const int64_t i = IndexOf(place.base_offset);
  CHECK_GE(i, 0);
  Entry& entry = entries_[static_cast<size_t>(i)];
  CHECK_EQ(entry.base_offset, place.base_offset);
  // Another reader may have been faster.
  if (entry.segment == nullptr && segment != nullptr) {
    entry.segment = pins_->Hold(std::move(segment));
    CountOpen(1);
  }
  return true;
}

std::optional<int64_t> SegmentList::LargestTimestamp(
    const Segment& segment) const {
  const std::optional<int64_t> known = segment.largest_timestamp_ms();
  if (known.has_value()) return known;
  const std::optional<SegmentSidecar> sidecar = ReadSidecarOf(
      *directory_, segment.base_offset(), std::ssize(segment.visible_bytes()));
  if (!sidecar.has_value()) return std::nullopt;
  segment.NoteLargestTimestamp(sidecar->max_timestamp_ms);
  return sidecar->max_timestamp_ms;
}

void SegmentList::PutLast(std::shared_ptr<Segment> segment) {
  absl::MutexLock lock(&mu_);
  const int64_t base_offset = segment->base_offset();
  const bool is_new =
      entries_.empty() || entries_.back().base_offset < base_offset;
  CHECK(is_new || entries_.back().base_offset == base_offset)
      << entries_.back().base_offset << " and then " << base_offset;
  // Calls that may throw come before changes of the list.
  if (is_new) {
    entries_.reserve(entries_.size() + 1);
  } else if (entries_.back().segment != nullptr) {
    pins_->Release(entries_.back().segment);
  }
  segment = pins_->Hold(std::move(segment));
  ++generation_;
  if (is_new) entries_.push_back({.base_offset = base_offset});
  Entry& last = entries_.back();
  last.size_max = std::numeric_limits<int64_t>::max();
  if (last.segment == nullptr) CountOpen(1);
  last.segment.swap(segment);  // the old one is unmapped without the lock
}

std::vector<SegmentList::Removed> SegmentList::RemoveBefore(int64_t offset) {
  std::vector<Removed> removed;
  std::vector<std::shared_ptr<Segment>> closed;  // unmapped without the lock
  {
    absl::MutexLock lock(&mu_);
    auto kept = entries_.begin();
    while (kept != entries_.end() && kept + 1 != entries_.end() &&
           (kept + 1)->base_offset <= offset) {
      removed.push_back({.base_offset = kept->base_offset,
                         .end_offset = (kept + 1)->base_offset});
      closed.push_back(nullptr);
      if (kept->segment != nullptr) {
        pins_->Release(kept->segment);
        CountOpen(-1);
      }
      pins_->NoteDeleted(kept->base_offset);
      closed.back() = std::move(kept++->segment);
    }
    if (kept != entries_.begin()) ++generation_;
    entries_.erase(entries_.begin(), kept);
  }
  return removed;
}

size_t SegmentList::FirstFrom(int64_t offset) const {
  return static_cast<size_t>(
      std::lower_bound(entries_.begin(), entries_.end(), offset,
                       [](const Entry& entry, int64_t value) {
                         return entry.base_offset < value;
                       }) -
      entries_.begin());
}

bool SegmentList::HasBefore(int64_t offset) const {
  absl::ReaderMutexLock lock(&mu_);
  return entries_.size() > 1 && entries_[1].base_offset <= offset;
}

bool SegmentList::HasBase(int64_t base_offset) const {
  absl::ReaderMutexLock lock(&mu_);
  const size_t i = FirstFrom(base_offset);
  return i < entries_.size() && entries_[i].base_offset == base_offset;
}

bool SegmentList::HasExactly(const OffsetRange& range,
                             absl::Span<const int64_t> base_offsets) const {
  absl::ReaderMutexLock lock(&mu_);
  const size_t begin = FirstFrom(range.from);
  const size_t count = FirstFrom(range.to) - begin;
  if (count != base_offsets.size()) return false;
  for (size_t i = 0; i < count; ++i) {
    if (entries_[begin + i].base_offset != base_offsets[i]) return false;
  }
  return true;
}

void SegmentList::Replace(const OffsetRange& range,
                          std::vector<std::shared_ptr<Segment>> by) {
  std::vector<std::shared_ptr<Segment>> closed;  // unmapped without the lock
  absl::MutexLock lock(&mu_);
  const size_t begin = FirstFrom(range.from);
  const size_t end = FirstFrom(range.to);
  CHECK_LT(end, entries_.size()) << "the last segment grows";
  CHECK(!by.empty() &&
        by.front()->base_offset() == entries_[begin].base_offset);
  CHECK_LT(by.back()->base_offset(), range.to);
  std::vector<Entry> changed;
  changed.reserve(entries_.size() + by.size());
  closed.reserve(end - begin);
  for (size_t i = 0; i < begin; ++i) changed.push_back(entries_[i]);
  for (size_t i = begin; i < end; ++i) {
    Entry& old = entries_[i];
    if (old.segment != nullptr) {
      pins_->Release(old.segment);
      CountOpen(-1);
    }
    pins_->NoteDeleted(old.base_offset);
    closed.push_back(std::move(old.segment));
  }
  HoldAll(std::move(by), changed);
  for (size_t i = end; i < entries_.size(); ++i) changed.push_back(entries_[i]);
  entries_ = std::move(changed);
  ++generation_;
}

void SegmentList::HoldAll(std::vector<std::shared_ptr<Segment>> segments,
                          std::vector<Entry>& entries) {
  const auto first = std::ssize(entries);
  try {
    for (std::shared_ptr<Segment>& segment : segments) {
      const int64_t base_offset = segment->base_offset();
      entries.push_back({.base_offset = base_offset,
                         .segment = pins_->Hold(std::move(segment))});
    }
  } catch (...) {
    for (auto held = entries.begin() + first; held != entries.end(); ++held)
      pins_->Release(held->segment);
    throw;
  }
  CountOpen(std::ssize(segments));
}

bool SegmentList::Holds(const Segment& segment) const {
  absl::ReaderMutexLock lock(&mu_);
  const int64_t i = IndexOf(segment.base_offset());
  return i >= 0 && entries_[static_cast<size_t>(i)].segment.get() == &segment;
}

void SegmentList::CloseAll() {
  std::vector<std::shared_ptr<Segment>> closed;  // unmapped without the lock
  absl::MutexLock lock(&mu_);
  ++generation_;
  // What may throw comes first: what is still open then is still counted.
  closed.reserve(static_cast<size_t>(open_count_));
  for (Entry& entry : entries_) {
    if (entry.segment == nullptr || !entry.segment->has_name()) continue;
    pins_->Release(entry.segment);
    closed.push_back(std::move(entry.segment));
    CountOpen(-1);
  }
}

std::vector<SegmentList::Listed> SegmentList::List() const {
  absl::ReaderMutexLock lock(&mu_);
  std::vector<Listed> listed;
  listed.reserve(entries_.size());
  for (const Entry& entry : entries_) {
    listed.push_back(
        {.base_offset = entry.base_offset, .segment = entry.segment});
  }
  return listed;
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

int64_t SegmentList::open_count() const {
  absl::ReaderMutexLock lock(&mu_);
  return open_count_;
}

int64_t SegmentList::count() const {
  absl::ReaderMutexLock lock(&mu_);
  return static_cast<int64_t>(entries_.size());
}

}  // namespace varve
