// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SYSTEM_STAGED_WRITES_H_
#define VARVE_LOG_SYSTEM_STAGED_WRITES_H_

#include <cstdint>

#include "absl/status/status.h"
#include "varve/log/system/file_system.h"

namespace varve {

// How a file is written where a store into a shared mapping may raise SIGBUS:
// on a file system that takes new blocks for every write, nothing can be
// allocated ahead. The writer stores into private memory, and pwrite(2), which
// reports a full disk, puts it into the file. Readers look at the memory; piece
// by piece the file's own pages replace it, at the same addresses, so that no
// more than a piece or two stay in memory.
//
// Borrows the file and its kPrivate mapping, which must outlive it.
//
// Thread safety: one writer at a time.
class StagedWrites {
 public:
  // Bytes that are written before the file's pages replace them in memory.
  static constexpr int64_t kPiece = int64_t{1} << 20;

  StagedWrites(File* file, Mapping* mapping) : file_(file), mapping_(mapping) {}

  // Loads the file, which has `size` bytes, into the memory. Call it first.
  absl::Status Load(int64_t size);

  // Writes the memory up to `end` to the file, after the bytes that earlier
  // calls wrote.
  //
  // Errors: file errors (log/system/errno_status.h). The file keeps its length,
  // and a later call may succeed.
  absl::Status WriteTo(int64_t end);

  // Writes out the first `size` bytes, cuts the file to them, and frees the
  // memory.
  absl::Status Seal(int64_t size);

 private:
  absl::Status Show(int64_t end);

  File* const file_;
  Mapping* const mapping_;
  int64_t written_ = 0;       // bytes in the file
  int64_t shown_ = 0;         // bytes whose memory is the file's
  int64_t show_at_ = kPiece;  // written bytes at which the next piece is shown
};

}  // namespace varve

#endif  // VARVE_LOG_SYSTEM_STAGED_WRITES_H_
