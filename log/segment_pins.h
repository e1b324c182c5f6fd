// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SEGMENT_PINS_H_
#define VARVE_LOG_SEGMENT_PINS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "log/clock.h"
#include "log/segment.h"

namespace varve {

// What the views of a partition, or of a whole store, pin. A pin is a
// RecordBatches that shows something, or a copy of one; for the time of the
// call, so is a read that is under way.
struct PinCounts {
  int64_t pins = 0;
  int64_t segments = 0;  // pinned: each keeps its mapping
  // Of those, the ones that have been deleted: their disk space is not freed
  // before the last pin goes.
  int64_t deleted_segments = 0;
  int64_t deleted_bytes = 0;  // of their batches
  // For how long the space of the first of these has been held back. A view
  // of a deleted segment is older than the deletion, so its age is at least
  // that. Zero when no deleted segment is pinned.
  absl::Duration oldest_deleted_age = absl::ZeroDuration();

  // Takes the larger of the ages, and the sums of the rest.
  void Add(const PinCounts& other);
  friend bool operator==(const PinCounts&, const PinCounts&) = default;
};

// Counts the pins of one partition's segments at no cost to a read. The segment
// list and the views share an owner that `Hold` makes, apart from the writer's;
// a read copies it, as it would copy any shared_ptr, and how often it is held
// is how many pins there are, and the list.
//
// Thread safety: thread-safe. Views may outlive it. Counts that are taken while
// views come and go may be off by those.
class SegmentPins {
 public:
  // Borrows the clock, which must outlive it.
  explicit SegmentPins(Clock* clock) : clock_(clock) {}

  SegmentPins(const SegmentPins&) = delete;
  SegmentPins& operator=(const SegmentPins&) = delete;

  // An owner of `segment` for the segment list to keep, and to hand copies out.
  // At most one is held for a base offset.
  std::shared_ptr<Segment> Hold(std::shared_ptr<Segment> segment);

  // The list lets go of what `Hold` returned, and hands out no more copies:
  // those that are about remain pins.
  void Release(const std::shared_ptr<Segment>& held);

  // The segment of this base offset leaves the log now, for good.
  // Precondition: it is not held.
  void NoteDeleted(int64_t base_offset);
  // All that were released so far leave it.
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
  // By base offset.
  std::map<int64_t, std::weak_ptr<const Segment>> held_ ABSL_GUARDED_BY(mu_);
  // Those that had a pin when they were last looked at.
  std::vector<Released> released_ ABSL_GUARDED_BY(mu_);
};

}  // namespace varve

#endif  // VARVE_LOG_SEGMENT_PINS_H_
