// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_BARE_COPY_LOOP_H_
#define VARVE_BENCH_BARE_COPY_LOOP_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/scratch_directory.h"

namespace varve::bench {

// The bare loop that compaction is measured against: reads the batches of files
// through mappings, computes the CRC of each, and writes bytes of them to a new
// file. It looks at no record and makes no index. After the last batch it
// begins again with the first one.
//
// Thread safety: externally synchronized.
class CopyLoop {
 public:
  // The files hold whole, valid batches, and something is in them. They may be
  // removed afterwards.
  explicit CopyLoop(const std::vector<std::string>& paths);
  ~CopyLoop();

  CopyLoop(const CopyLoop&) = delete;
  CopyLoop& operator=(const CopyLoop&) = delete;

  // Of all files.
  int64_t size_bytes() const { return size_bytes_; }

  // Reads the next batches, so many bytes or a few more, but of one file alone;
  // returns how many.
  int64_t Read(int64_t bytes);

  // Writes so many bytes of what `Read` has read last, or all of it where that
  // is less.
  void Write(int64_t bytes);

  // fdatasync(2) of what was written.
  void Sync();

 private:
  const ScratchDirectory directory_;
  std::vector<std::string_view> files_;  // mapped
  int64_t size_bytes_ = 0;
  size_t file_ = 0;        // the one that is read next
  size_t position_ = 0;    // in it
  std::string_view read_;  // what was read last
  int fd_ = -1;            // what is written
  int64_t written_bytes_ = 0;
};

}  // namespace varve::bench

#endif  // VARVE_BENCH_BARE_COPY_LOOP_H_
