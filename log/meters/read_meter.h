// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METERS_READ_METER_H_
#define VARVE_LOG_METERS_READ_METER_H_

#include <atomic>
#include <cstdint>

#include "varve/log/meters/counter.h"
#include "varve/log/meters/single_writer_counter.h"

namespace varve {

// Counts the reads of one partition, which take no lock. Most partitions have
// one reading thread; the first thread that reads has counters of its own, and
// pays a plain load and store (under 1 ns, where two atomic additions are 10
// ns). The others share theirs.
//
// Thread safety: thread-safe.
class ReadMeter {
 public:
  ReadMeter() = default;
  ReadMeter(const ReadMeter&) = delete;
  ReadMeter& operator=(const ReadMeter&) = delete;

  // Counts a read that returned `size_bytes`.
  void Add(int64_t size_bytes) {
    if (IsOwner()) {
      owned_reads_.Add(1);
      owned_bytes_.Add(size_bytes);
      return;
    }
    shared_reads_.Add(1);
    shared_bytes_.Add(size_bytes);
  }

  int64_t reads() const { return owned_reads_.value() + shared_reads_.value(); }
  int64_t bytes() const { return owned_bytes_.value() + shared_bytes_.value(); }

 private:
  bool IsOwner() {
    static thread_local char mark;  // its address is the thread's own
    const void* owner = owner_.load(std::memory_order_relaxed);
    if (owner == &mark) return true;
    return owner == nullptr && owner_.compare_exchange_strong(
                                   owner, &mark, std::memory_order_relaxed);
  }

  // Memory ordering: relaxed. Only a thread itself finds its own mark here. A
  // mark's address is used again by a thread that began after the first one
  // ended, which orders what both did.
  std::atomic<const void*> owner_ = nullptr;
  SingleWriterCounter owned_reads_;
  SingleWriterCounter owned_bytes_;
  Counter shared_reads_;
  Counter shared_bytes_;
};

}  // namespace varve

#endif  // VARVE_LOG_METERS_READ_METER_H_
