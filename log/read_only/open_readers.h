// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_READ_ONLY_OPEN_READERS_H_
#define VARVE_LOG_READ_ONLY_OPEN_READERS_H_

#include <atomic>
#include <cstddef>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace varve {

class OpenReaders;

// A reader that holds files open, and can close them until it is used again.
class RestingReader {
 protected:
  virtual ~RestingReader() = default;

  // Notes that it is used, so that it is not the next to rest. Cheap, and takes
  // no lock.
  void NoteUse() { was_used_.store(true, std::memory_order_relaxed); }

 private:
  friend class OpenReaders;

  // Closes its files, unless it is being used. Must not block.
  virtual bool TryRest() = 0;

  // Memory ordering: relaxed; a hint which reader rests first.
  std::atomic<bool> was_used_ = true;
};

// Keeps the number of readers that hold files open within bounds, so that a
// program may have more of them than descriptors: those that were not used for
// a while rest. It is the clock algorithm, as in
// api/partitions/partition_parking.h.
//
// Thread safety: thread-safe. A reader calls with its own lock held; those of
// others are only tried, so no thread waits for a reader. The limit is exceeded
// while more readers are being used.
class OpenReaders {
 public:
  explicit OpenReaders(size_t open_max) : open_max_(open_max) {}

  // Adds a reader that is about to hold files open. Others may have to rest.
  // Precondition: it rests, or is new.
  void Add(RestingReader* reader);

  // Removes a reader, also one that rests, before it is destroyed. On return no
  // other thread uses it.
  void Remove(RestingReader* reader);

 private:
  void MakeRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const size_t open_max_;

  absl::Mutex mu_;
  std::vector<RestingReader*> open_ ABSL_GUARDED_BY(mu_);
  size_t hand_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace varve

#endif  // VARVE_LOG_READ_ONLY_OPEN_READERS_H_
