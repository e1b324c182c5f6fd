// SPDX-License-Identifier: Apache-2.0

#include "varve/log/segment/segment_pins.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/log/segment/segment.h"

namespace varve {

std::shared_ptr<Segment> SegmentPins::Hold(std::shared_ptr<Segment> segment) {
  Segment* const address = segment.get();
  // Its count covers only the views and the list: the writer has another owner.
  auto owner = std::make_shared<std::shared_ptr<Segment>>(std::move(segment));
  std::shared_ptr<Segment> held(std::move(owner), address);
  absl::MutexLock lock(&mu_);
  CHECK(!held_.contains(held->base_offset())) << held->path();
  held_[held->base_offset()] = held;
  return held;
}

void SegmentPins::Release(const std::shared_ptr<Segment>& held) {
  absl::MutexLock lock(&mu_);
  held_.erase(held->base_offset());
  Forget();
  // A count of 1 is the list's own reference. The list is locked and drops it,
  // so no reader can copy it any more.
  if (held.use_count() == 1) return;
  released_.push_back({.views = held,
                       .base_offset = held->base_offset(),
                       .size_bytes = held->size()});
}

void SegmentPins::NoteDeleted(int64_t base_offset) {
  const absl::Time now = clock_->Steady();
  absl::MutexLock lock(&mu_);
  CHECK(!held_.contains(base_offset)) << base_offset;
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
