// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_CODEC_SNAPPY_FRAMING_H_
#define VARVE_CODEC_SNAPPY_FRAMING_H_

#include <cstddef>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "varve/log/batch/byte_buffer.h"

namespace varve {

// The framing of snappy-java (SnappyOutputStream, once of the project Xerial),
// in which Kafka has its snappy blocks. All integers are big-endian.
//
//   header   82 53 4e 41 50 50 59 00, int32 version, int32 oldest version that
//            can read it; both are 1, and no reader looks at them
//   chunk    int32 length, a raw snappy block of that length
//
// Any number of chunks follow a header; another header may stand where a chunk
// could, because streams can be concatenated.
namespace snappy_framing {
inline constexpr size_t kHeaderBytes = 16;
inline constexpr size_t kLengthBytes = 4;
// Bytes that a writer compresses into one chunk.
inline constexpr size_t kChunkPlainBytes = size_t{32} << 10;
// Bytes of a chunk that snappy-java reads.
inline constexpr size_t kChunkMax = size_t{512} << 20;

// Whether a stream begins with a header. One that does not is a raw block.
bool HasHeader(std::string_view stream);

void AppendHeader(ByteBuffer& out);
}  // namespace snappy_framing

// Walks the chunks of a stream.
//
// Thread safety: externally synchronized.
class SnappyChunks {
 public:
  struct Chunk {
    std::string_view block;
    size_t position = 0;  // of the block in the stream
  };

  // Borrows the stream.
  explicit SnappyChunks(std::string_view stream) : stream_(stream) {}

  // The next chunk; none at the end of the stream, and when `status()` is not
  // OK.
  std::optional<Chunk> Next();

  // Errors: DataLoss for a stream that does not have this framing, or ends in
  // the middle of a chunk or a header.
  const absl::Status& status() const { return status_; }

 private:
  std::nullopt_t Fail(std::string_view why);

  const std::string_view stream_;
  size_t position_ = 0;
  absl::Status status_;
};

}  // namespace varve

#endif  // VARVE_CODEC_SNAPPY_FRAMING_H_
