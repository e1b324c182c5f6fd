// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_BARE_WRITE_LOOP_H_
#define VARVE_BENCH_BARE_WRITE_LOOP_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "bench/scratch_directory.h"

namespace varve::bench {

// The bare loop of programs that write(2) a log: records encoded into a buffer,
// then one pwrite for all of them.
//
// Thread safety: externally synchronized.
class WriteLoop {
 public:
  enum class File {
    kGrowing,       // each write makes it longer
    kPreallocated,  // its blocks are allocated and were written once
  };

  // Precondition: with kPreallocated, no more than `size_bytes` are appended.
  WriteLoop(File file, int64_t size_bytes);
  ~WriteLoop();

  WriteLoop(const WriteLoop&) = delete;
  WriteLoop& operator=(const WriteLoop&) = delete;

  // Writes `count` records of `value` as one batch.
  void Append(std::string_view value, int count);

  // Writes `count` records of `value`, each after its length: the log that is
  // written by hand. It has no offsets, no times and no checksums.
  void AppendPrefixed(std::string_view value, int count);

  // fdatasync(2).
  void Sync();

 private:
  char* Buffer(size_t size);
  void Write(const char* end);

  const ScratchDirectory directory_;
  int fd_ = -1;
  int64_t position_ = 0;
  int64_t next_offset_ = 0;
  std::vector<char> buffer_;
};

}  // namespace varve::bench

#endif  // VARVE_BENCH_BARE_WRITE_LOOP_H_
