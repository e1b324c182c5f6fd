// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_CLEANER_SEGMENT_REPLACING_H_
#define VARVE_LOG_CLEANER_SEGMENT_REPLACING_H_

#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "varve/log/producer_state/aborted_transactions.h"
#include "varve/log/retention/retention_segments.h"
#include "varve/log/segment/segment.h"
#include "varve/log/segment/segment_list.h"
#include "varve/log/swap/segment_swap.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Puts segments that compaction has written in the place of others, on disk and
// in the segment list of an open log. Reads go on: those that began keep their
// old segments, later ones find the new ones, and no read opens a file by a
// name that is about to change, because the new ones are open before the names
// move.
//
// One that an error has left half-done is kept, and completed by the next call.
// Until then nothing else may be done to these segments: whoever takes
// segments from the list holds `mu`, and has called `SettleLocked`.
//
// Borrows the parts of its log, which must outlive it.
//
// Thread safety: thread-safe. Lock order: `mu`, then any lock of the log.
class SegmentReplacing {
 public:
  struct Parts {
    Directory* directory = nullptr;
    SegmentList* segments = nullptr;
    RetentionSegments* retention_segments = nullptr;
    std::shared_ptr<AbortedTransactions> aborted = nullptr;
  };

  explicit SegmentReplacing(Parts log) : log_(std::move(log)) {}

  SegmentReplacing(const SegmentReplacing&) = delete;
  SegmentReplacing& operator=(const SegmentReplacing&) = delete;

  absl::Mutex* mu() ABSL_LOCK_RETURNED(mu_) { return &mu_; }

  // Replaces them. Durable on return.
  //
  // Errors: Cancelled when a trim has taken some of the old ones: the new ones
  // are removed again. File errors (log/system/errno_status.h), after which
  // `Settle` goes on.
  absl::Status Replace(std::unique_ptr<SegmentSwap> swap)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Completes what an error has left. Errors: file errors.
  absl::Status Settle() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return SettleLocked();
  }
  absl::Status SettleLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

 private:
  absl::Status OpenNew() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Parts log_;

  absl::Mutex mu_;
  std::unique_ptr<SegmentSwap> swap_ ABSL_GUARDED_BY(mu_);  // null: none
  // The new ones, once the list has them.
  std::vector<std::shared_ptr<Segment>> new_ ABSL_GUARDED_BY(mu_);
};

}  // namespace varve

#endif  // VARVE_LOG_CLEANER_SEGMENT_REPLACING_H_
