// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_TRIMMED_SEGMENTS_H_
#define VARVE_LOG_TRIMMED_SEGMENTS_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "log/file_system.h"

namespace varve {

// The segments of a partition that are below its log start, until their files
// are deleted: not before a checkpoint with that log start is durable, or a
// crash between the two would look like a loss.
//
// Borrows the directory, which must outlive it.
//
// Thread safety: thread-safe.
class TrimmedSegments {
 public:
  // `bases`, their base offsets, are what an earlier deletion left when it was
  // cut short.
  TrimmedSegments(Directory* directory, std::vector<int64_t> bases)
      : directory_(directory), bases_(std::move(bases)) {}

  void Add(const std::vector<int64_t>& bases);
  bool empty() const;

  // Deletes all their files. Views that pin them stay valid.
  //
  // Errors: the first one; what could not be deleted is kept for the next call.
  absl::Status Delete();

 private:
  Directory* const directory_;

  mutable absl::Mutex mu_;
  std::vector<int64_t> bases_ ABSL_GUARDED_BY(mu_);
};

}  // namespace varve

#endif  // VARVE_LOG_TRIMMED_SEGMENTS_H_
