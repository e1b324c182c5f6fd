// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SEGMENT_SEGMENT_PINS_H_
#define VARVE_LOG_SEGMENT_SEGMENT_PINS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/log/metadata/pin_counts.h"
#include "varve/log/segment/segment.h"
#include "varve/log/system/clock.h"

namespace varve {

// Counts the pins of one partition's segments at no cost to a read. `Hold`
// makes a second owner, separate from the writer's, shared by the list and the
// views; a read copies it, as it would copy any shared_ptr. The number of pins
// is its use_count less one.
//
// Thread safety: thread-safe. Views may outlive it. Counts that are taken while
// views are made or dropped may be off by those.
class SegmentPins {
 public:
  // Borrows the clock, which must outlive it.
  explicit SegmentPins(Clock* clock) : clock_(clock) {}

  SegmentPins(const SegmentPins&) = delete;
  SegmentPins& operator=(const SegmentPins&) = delete;

  // Makes the owner of `segment` that the segment list keeps and copies for
  // views. At most one is held for a base offset.
  std::shared_ptr<Segment> Hold(std::shared_ptr<Segment> segment);

  // The list drops what `Hold` returned, and makes no more copies: existing
  // ones remain pins.
  void Release(const std::shared_ptr<Segment>& held);

  // Notes that the segment of this base offset is removed from the log for
  // good.
  // Precondition: it is not held.
  void NoteDeleted(int64_t base_offset);
  // Notes the same of all segments that were released so far.
  void NoteAllDeleted();

  PinCounts Count() const;
  // Whether there may be a pin, now or later.
  bool InUse() const;

 private:
  struct Released {
    std::weak_ptr<const Segment> views;
    int64_t base_offset = 0;
    int64_t size_bytes = 0;
    absl::Time deleted_at = absl::InfiniteFuture();  // steady; not yet
  };

  void Forget() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Clock* const clock_;

  mutable absl::Mutex mu_;
  // The owners, by base offset.
  std::map<int64_t, std::weak_ptr<const Segment>> held_ ABSL_GUARDED_BY(mu_);
  // Released segments that had a pin when they were last checked.
  std::vector<Released> released_ ABSL_GUARDED_BY(mu_);
};

}  // namespace varve

#endif  // VARVE_LOG_SEGMENT_SEGMENT_PINS_H_
