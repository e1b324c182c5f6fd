// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_GROUPS_OFFSET_NOTES_H_
#define VARVE_API_GROUPS_OFFSET_NOTES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace varve {

// The findings of reading and checking committed offsets, a line each for a
// person: the first thousand, and how many more there were.
//
// Thread safety: thread-safe. Takes no other lock while it holds its own.
class OffsetNotes {
 public:
  void Add(std::string note);
  std::vector<std::string> Get() const;

 private:
  mutable absl::Mutex mu_;
  std::vector<std::string> notes_ ABSL_GUARDED_BY(mu_);
  int64_t more_ ABSL_GUARDED_BY(mu_) = 0;  // that were not kept
};

}  // namespace varve

#endif  // VARVE_API_GROUPS_OFFSET_NOTES_H_
