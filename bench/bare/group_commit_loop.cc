// SPDX-License-Identifier: Apache-2.0

#include "bench/bare/group_commit_loop.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/synchronization/mutex.h"
#include "bench/bare/bare_batch.h"
#include "bench/bare/preallocated_file.h"

namespace varve::bench {
namespace {

constexpr int64_t kTimestampMs = 1700000000000;
// No disk has larger ones.
constexpr size_t kBlock = 4096;
constexpr size_t kBufferSize = size_t{256} << 10;

size_t BatchSizeMax(std::string_view value) {
  return kBareHeaderSize + kBareRecordOverheadMax + value.size();
}

char* AlignUp(char* at) {
  const auto address = reinterpret_cast<uintptr_t>(at);
  return at + (kBlock - address % kBlock) % kBlock;
}

}  // namespace

GroupCommitLoop::GroupCommitLoop(Way way, int64_t size_bytes)
    : way_(way),
      size_(std::max<int64_t>(size_bytes, kBufferSize)),
      rounds_([this] { Commit(); }) {
  const std::string path = directory_.path() + "/committed";
  fd_ = NewPreallocatedFile(path, size_);
  if (way == Way::kSync) return;
  PCHECK(close(fd_) == 0) << path;
  fd_ = OpenDirect(path);
  memory_.resize(2 * kBufferSize + kBlock);
  gathering_ = AlignUp(memory_.data());
  writing_ = gathering_ + kBufferSize;
}

GroupCommitLoop::~GroupCommitLoop() { PCHECK(close(fd_) == 0); }

void GroupCommitLoop::Append(std::string_view value) {
  if (way_ == Way::kSync) {
    WriteBatch(value);
  } else {
    GatherBatch(value);
  }
  rounds_.Join();
}

void GroupCommitLoop::WriteBatch(std::string_view value) {
  thread_local std::vector<char> buffer;
  buffer.resize(std::max(buffer.size(), BatchSizeMax(value)));
  absl::MutexLock lock(&mu_);
  const char* end =
      EncodeBareBatch(value, 1, next_offset_++, kTimestampMs, buffer.data());
  const ssize_t size = end - buffer.data();
  if (position_ + size > size_) position_ = 0;
  PCHECK(pwrite(fd_, buffer.data(), static_cast<size_t>(size), position_) ==
         size);
  position_ += size;
}

void GroupCommitLoop::GatherBatch(std::string_view value) {
  absl::MutexLock lock(&mu_);
  CHECK_LE(static_cast<size_t>(gathered_) + BatchSizeMax(value), kBufferSize);
  const char* end = EncodeBareBatch(value, 1, next_offset_++, kTimestampMs,
                                    gathering_ + gathered_);
  gathered_ = end - gathering_;
}

void GroupCommitLoop::Commit() {
  if (way_ == Way::kDirect) return WriteGathered();
  PCHECK(fdatasync(fd_) == 0);
}

// Whole blocks: what follows the batches in the last one is overwritten by
// zeros.
void GroupCommitLoop::WriteGathered() {
  size_t size = 0;
  int64_t position = 0;
  {
    absl::MutexLock lock(&mu_);
    std::swap(gathering_, writing_);
    const size_t used = static_cast<size_t>(std::exchange(gathered_, 0));
    size = (used + kBlock - 1) / kBlock * kBlock;
    std::memset(writing_ + used, 0, size - used);
    if (position_ + static_cast<int64_t>(size) > size_) position_ = 0;
    position = std::exchange(position_, position_ + static_cast<int64_t>(size));
  }
  PCHECK(pwrite(fd_, writing_, size, position) == static_cast<ssize_t>(size));
}

}  // namespace varve::bench
