// SPDX-License-Identifier: Apache-2.0

#include "bench/bare/ceiling_loop.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

#include "absl/log/check.h"
#include "absl/synchronization/mutex.h"
#include "bench/bare/bare_batch.h"

namespace varve::bench {
namespace {

constexpr int64_t kTimestampMs = 1700000000000;
constexpr size_t kPage = 4096;
constexpr size_t kAheadStep = size_t{2} << 20;

#ifndef MADV_POPULATE_WRITE
constexpr int MADV_POPULATE_WRITE = 23;
#endif

// In kernels before 5.14 a store to each page does the same.
void Populate(char* data, size_t size) {
  if (madvise(data, size, MADV_POPULATE_WRITE) == 0) return;
  for (size_t at = 0; at < size; at += kPage) {
    *static_cast<volatile char*>(data + at) = 0;
  }
}

}  // namespace

CeilingLoop::CeilingLoop(int64_t size_bytes, Pages pages)
    : size_(static_cast<size_t>(size_bytes)) {
  const std::string path = directory_.path() + "/ceiling";
  fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  PCHECK(fd_ >= 0) << path;
  PCHECK(fallocate(fd_, 0, 0, size_bytes) == 0) << path;
  void* mapped =
      mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  PCHECK(mapped != MAP_FAILED) << path;
  data_ = static_cast<char*>(mapped);
  if (pages == Pages::kPopulated) Populate(data_, size_);
  if (pages == Pages::kAhead) ahead_ = std::thread([this] { PopulateAhead(); });
}

CeilingLoop::~CeilingLoop() {
  stopped_.store(true, std::memory_order_relaxed);
  if (ahead_.joinable()) ahead_.join();
  PCHECK(munmap(data_, size_) == 0);
  PCHECK(close(fd_) == 0);
}

// Pages that the appender reaches first are populated by its own stores.
void CeilingLoop::PopulateAhead() {
  for (size_t at = 0; at < size_;) {
    if (stopped_.load(std::memory_order_relaxed)) return;
    const size_t used = visible_size_.load(std::memory_order_relaxed);
    at = std::max(at, used / kAheadStep * kAheadStep);
    if (at >= used + kAheadBytes) {
      std::this_thread::sleep_for(std::chrono::microseconds(100));
      continue;
    }
    const size_t step = std::min(kAheadStep, size_ - at);
    Populate(data_ + at, step);
    at += step;
  }
}

void CeilingLoop::Append(std::string_view value, int count) {
  const size_t batch_size_max =
      kBareHeaderSize +
      static_cast<size_t>(count) * (value.size() + kBareRecordOverheadMax);
  absl::MutexLock lock(&mu_);
  size_t begin = visible_size_.load(std::memory_order_relaxed);
  if (begin + batch_size_max > size_) begin = 0;
  const char* end =
      EncodeBareBatch(value, count, next_offset_, kTimestampMs, data_ + begin);
  next_offset_ += count;
  visible_size_.store(static_cast<size_t>(end - data_),
                      std::memory_order_release);
}

void CeilingLoop::Sync() { PCHECK(fdatasync(fd_) == 0); }

}  // namespace varve::bench
