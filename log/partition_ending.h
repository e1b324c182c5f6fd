// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_ENDING_H_
#define VARVE_LOG_PARTITION_ENDING_H_

#include <atomic>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace varve {

// Whether a partition's log takes no more calls, and why.
//
// Thread safety: thread-safe.
class PartitionEnding {
 public:
  void SetClosed() { reason_.store(kClosed, std::memory_order_relaxed); }
  void SetDeleted() { reason_.store(kDeleted, std::memory_order_relaxed); }

  bool has_ended() const {
    return reason_.load(std::memory_order_relaxed) != kNone;
  }

  // What calls fail with: FailedPrecondition when it was closed, NotFound when
  // its topic was deleted. `path` is the partition's.
  absl::Status ToStatus(std::string_view path) const {
    if (reason_.load(std::memory_order_relaxed) == kDeleted)
      return absl::NotFoundError(absl::StrCat(path, ": the topic was deleted"));
    return absl::FailedPreconditionError(absl::StrCat(path, ": closed"));
  }

 private:
  enum Reason { kNone, kClosed, kDeleted };

  // Memory ordering: relaxed; a late look at it only lets one more call
  // through.
  std::atomic<Reason> reason_ = kNone;
};

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_ENDING_H_
