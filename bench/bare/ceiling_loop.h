// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_BARE_CEILING_LOOP_H_
#define VARVE_BENCH_BARE_CEILING_LOOP_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bench/scratch_directory.h"

namespace varve::bench {

// The bare loop that appends are measured against: record batches encoded into
// a mapped file whose blocks are allocated, under a lock, with a CRC and a
// release of the visible end. It has no roll, no index, no clock and no API: it
// shows what the machine allows. With pages that a second thread provides it is
// the honest ceiling of sustained work. When the file is full it begins again
// at the front.
//
// Thread safety: thread-safe.
class CeilingLoop {
 public:
  enum class Pages {
    kPopulated,  // every page is in memory and mapped before the first append
    kUntouched,  // the first store to each page faults
    kAhead,      // a second thread populates up to kAheadBytes of them ahead
  };

  static constexpr size_t kAheadBytes = size_t{64} << 20;

  CeilingLoop(int64_t size_bytes, Pages pages);
  ~CeilingLoop();

  CeilingLoop(const CeilingLoop&) = delete;
  CeilingLoop& operator=(const CeilingLoop&) = delete;

  // Appends `count` records of `value` as one batch.
  void Append(std::string_view value, int count);

  // Has the kernel write what was appended: fdatasync(2).
  void Sync();

  // The batches appended since the front.
  std::string_view visible_bytes() const {
    return {data_, visible_size_.load(std::memory_order_acquire)};
  }

 private:
  void PopulateAhead();

  const ScratchDirectory directory_;
  const size_t size_;
  // Constant after construction: the file, and its mapping.
  int fd_ = -1;
  char* data_ = nullptr;

  absl::Mutex mu_;
  int64_t next_offset_ ABSL_GUARDED_BY(mu_) = 0;
  // Memory ordering: stored with release after a batch's bytes; a reader that
  // loads it with acquire finds them.
  std::atomic<size_t> visible_size_ = 0;

  // Memory ordering: relaxed; the thread may stop a step later.
  std::atomic<bool> stopped_ = false;
  std::thread ahead_;  // kAhead alone
};

}  // namespace varve::bench

#endif  // VARVE_BENCH_BARE_CEILING_LOOP_H_
