// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_STAGED_WRITES_H_
#define VARVE_LOG_STAGED_WRITES_H_

#include <cstdint>

#include "absl/status/status.h"
#include "log/file_system.h"

namespace varve {

// How a file is written where a store into a shared mapping may raise SIGBUS:
// on a file system that takes new blocks for every write, nothing can be
// allocated ahead. The writer stores into memory of its own, and pwrite(2) puts
// it into the file, which tells when the disk is full. Readers look at the
// memory; piece by piece the file's own pages take its place, at the same
// addresses, so that no more than a piece or two stay in memory for good.
//
// Borrows the file and its kPrivate mapping, which must outlive it.
//
// Thread safety: one writer at a time.
class StagedWrites {
 public:
  // What is kept in memory, in bytes: at least one piece behind the writer.
  static constexpr int64_t kPiece = int64_t{1} << 20;

  StagedWrites(File* file, Mapping* mapping) : file_(file), mapping_(mapping) {}

  // Puts the first `size` bytes of the file, all it has, into the memory. Call
  // it first.
  absl::Status Load(int64_t size);

  // Puts the memory up to `end` into the file, where it goes on behind what was
  // put there before.
  //
  // Errors: those of the write. The file is as long as it was, and a later call
  // may succeed.
  absl::Status WriteTo(int64_t end);

  // The same for the first `size` bytes, which are all of the file from now on;
  // gives the memory back.
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

#endif  // VARVE_LOG_STAGED_WRITES_H_
