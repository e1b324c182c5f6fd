// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_CODEC_DECOMPRESSED_BYTES_H_
#define VARVE_CODEC_DECOMPRESSED_BYTES_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "varve/log/batch/byte_buffer.h"

namespace varve {

// What a codec decompresses: at most `size_max` bytes at the end of a buffer.
// They are dropped again unless `Keep` is called.
//
// Thread safety: externally synchronized.
class DecompressedBytes {
 public:
  // Borrows the buffer, to which nothing else is appended meanwhile. A negative
  // `size_max` is 0.
  DecompressedBytes(int64_t size_max, ByteBuffer& out);
  DecompressedBytes(const DecompressedBytes&) = delete;
  DecompressedBytes& operator=(const DecompressedBytes&) = delete;
  ~DecompressedBytes();

  // Bytes that may still come; 0 when there were too many.
  size_t left() const;

  // Where the next bytes go: `wanted_bytes` of room, more if the buffer has it
  // anyway, but no more than `left()` and one byte: the one whose coming says
  // that there are too many.
  //
  // Precondition: `wanted_bytes` is at least 1, and there were not too many.
  absl::Span<char> Room(size_t wanted_bytes);

  // Adds the first `count` bytes of the room, which have been written.
  //
  // Errors: ResourceExhausted when there are more than `size_max` now.
  absl::Status Add(size_t count);

  // ResourceExhausted: more than `size_max` bytes come out of the stream.
  absl::Status TooMany() const;

  // The bytes are good: they stay in the buffer.
  void Keep() { kept_ = true; }

 private:
  const size_t size_max_;
  const size_t start_;  // the buffer's size before
  ByteBuffer& out_;
  bool kept_ = false;
};

}  // namespace varve

#endif  // VARVE_CODEC_DECOMPRESSED_BYTES_H_
