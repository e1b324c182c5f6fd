// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_READ_ONLY_READ_ONLY_SEGMENT_H_
#define VARVE_LOG_READ_ONLY_READ_ONLY_SEGMENT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The .log file of a segment whose writer is another process, open for reading.
// The writer may append to it, trim it and delete it at any time: until it is
// known to be sealed it is read into buffers with pread(2). Through a mapping,
// a file that is cut short raises SIGBUS. A deleted file can be read to its
// end.
//
// Owns the open file. Its pieces keep their bytes and may outlive it.
//
// Thread safety: externally synchronized; its pieces are immutable.
class ReadOnlySegment {
 public:
  // Errors: NotFound when there is no such segment (any more); other file
  // errors (log/system/errno_status.h).
  static absl::StatusOr<std::shared_ptr<ReadOnlySegment>> Open(
      Directory& directory, int64_t base_offset);

  int64_t base_offset() const { return base_offset_; }
  const std::string& path() const { return file_->path(); }

  // Bytes of the file, but at most as many as a segment can have.
  absl::StatusOr<int64_t> Size() const;

  // Some bytes of the file, each as it was at some moment.
  struct Piece {
    std::shared_ptr<const void> pin;  // keeps `bytes`
    std::string_view bytes;
    bool reaches_end = false;  // nothing follows them
  };

  // At most `size` bytes from `position` on, fewer only at the end of the file;
  // of a mapped file all there are, without a copy.
  //
  // Errors: DataLoss when a mapped file was cut short; other file errors.
  absl::StatusOr<Piece> ReadBytes(int64_t position, int64_t size) const;

  // Maps the file, so that later reads do not copy.
  //
  // Precondition: the segment is sealed
  // (log/read_only/read_only_segment_search.h finds out).
  absl::Status Map();
  bool is_mapped() const { return mapping_ != nullptr; }

  // The file, for reads of another kind.
  File& file() const { return *file_; }

 private:
  ReadOnlySegment(std::unique_ptr<File> file, int64_t base_offset)
      : file_(std::move(file)), base_offset_(base_offset) {}

  const std::unique_ptr<File> file_;
  const int64_t base_offset_;
  std::shared_ptr<const Mapping> mapping_;  // null until `Map`
};

}  // namespace varve

#endif  // VARVE_LOG_READ_ONLY_READ_ONLY_SEGMENT_H_
