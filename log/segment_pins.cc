// SPDX-License-Identifier: Apache-2.0

#include "log/segment_pins.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "log/segment.h"

namespace varve {

void PinCounts::Add(const PinCounts& other) {
  pins += other.pins;
  segments += other.segments;
  deleted_segments += other.deleted_segments;
  deleted_bytes += other.deleted_bytes;
  oldest_deleted_age = std::max(oldest_deleted_age, other.oldest_deleted_age);
}

std::shared_ptr<Segment> SegmentPins::Hold(std::shared_ptr<Segment> segment) {
  Segment* const address = segment.get();
  // Its count is the views' and the list's alone: the writer has another.
  auto owner = std::make_shared<std::shared_ptr<Segment>>(std::move(segment));
  std::shared_ptr<Segment> held(std::move(owner), address);
  absl::MutexLock lock(&mu_);
  held_[held->base_offset()] = held;
  return held;
}

void SegmentPins::Release(const std::shared_ptr<Segment>& held) {
  absl::MutexLock lock(&mu_);
  held_.erase(held->base_offset());
  Forget();
  // Nobody can copy it who has none: one is the list's own.
  if (held.use_count() == 1) return;
  released_.push_back({.views = held,
                       .base_offset = held->base_offset(),
                       .size_bytes = held->size()});
}

void SegmentPins::NoteDeleted(int64_t base_offset) {
  const absl::Time now = clock_->Steady();
  absl::MutexLock lock(&mu_);
  for (Released& released : released_) {
    if (released.base_offset == base_offset)
      released.deleted_at = std::min(released.deleted_at, now);
  }
}

void SegmentPins::NoteAllDeleted() {
  const absl::Time now = clock_->Steady();
  absl::MutexLock lock(&mu_);
  for (Released& released : released_)
    released.deleted_at = std::min(released.deleted_at, now);
}

void SegmentPins::Forget() {
  std::erase_if(released_, [](const Released& released) {
    return released.views.expired();
  });
}

PinCounts SegmentPins::Count() const {
  const absl::Time now = clock_->Steady();
  PinCounts counts;
  absl::MutexLock lock(&mu_);
  for (const auto& [base_offset, views] : held_) {
    const int64_t pins = views.use_count() - 1;
    if (pins <= 0) continue;
    counts.pins += pins;
    ++counts.segments;
  }
  for (const Released& released : released_) {
    const int64_t pins = released.views.use_count();
    if (pins == 0) continue;
    counts.pins += pins;
    ++counts.segments;
    if (released.deleted_at == absl::InfiniteFuture()) continue;
    ++counts.deleted_segments;
    counts.deleted_bytes += released.size_bytes;
    counts.oldest_deleted_age =
        std::max(counts.oldest_deleted_age, now - released.deleted_at);
  }
  return counts;
}

bool SegmentPins::InUse() const {
  absl::MutexLock lock(&mu_);
  return !held_.empty() || std::any_of(released_.begin(), released_.end(),
                                       [](const Released& released) {
                                         return !released.views.expired();
                                       });
}

}  // namespace varve
