// SPDX-License-Identifier: Apache-2.0

#include "varve/codec/snappy_codec.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/base/no_destructor.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "snappy.h"
#include "varve/codec/compress_arguments.h"
#include "varve/codec/decompressed_bytes.h"
#include "varve/codec/snappy_framing.h"
#include "varve/codec/stream_error.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/record_batch.h"

namespace varve {
namespace {

// A block says first how much comes out of it, and may say too much. It is
// believed up to so many bytes, or times its size; beyond, it is checked before
// memory is taken.
constexpr size_t kBelievedBytes = size_t{64} << 10;
constexpr size_t kBelievedExpansion = 8;

absl::Status DamagedBlock(StreamPlace place, size_t size) {
  return StreamError(place, absl::StrCat("the snappy block of ", size,
                                         " bytes that begins here is damaged"));
}

absl::Status DecompressBlock(std::string_view block, StreamPlace place,
                             DecompressedBytes& plain) {
  size_t size = 0;
  if (!snappy::GetUncompressedLength(block.data(), block.size(), &size)) {
    return DamagedBlock(place, block.size());
  }
  const bool fits = size <= plain.left();
  const size_t believed =
      std::max(kBelievedBytes, kBelievedExpansion * block.size());
  if ((!fits || size > believed) &&
      !snappy::IsValidCompressedBuffer(block.data(), block.size())) {
    return DamagedBlock(place, block.size());
  }
  if (!fits) return plain.TooMany();
  const absl::Span<char> room = plain.Room(std::max<size_t>(size, 1));
  if (!snappy::RawUncompress(block.data(), block.size(), room.data())) {
    return DamagedBlock(place, block.size());
  }
  return plain.Add(size);
}

absl::Status DecompressChunks(std::string_view stream,
                              DecompressedBytes& plain) {
  SnappyChunks chunks(stream);
  while (const std::optional<SnappyChunks::Chunk> chunk = chunks.Next()) {
    const absl::Status status =
        DecompressBlock(chunk->block, {chunk->position, stream.size()}, plain);
    if (!status.ok()) return status;
  }
  return chunks.status();
}

void CompressChunk(std::string_view plain, ByteBuffer& out) {
  using snappy_framing::kLengthBytes;
  char* const to =
      out.Reserve(kLengthBytes + snappy::MaxCompressedLength(plain.size()));
  size_t size = 0;
  snappy::RawCompress(plain.data(), plain.size(), to + kLengthBytes, &size);
  StoreBig32(to, static_cast<int32_t>(size));
  out.Extend(kLengthBytes + size);
}

class Snappy final : public Codec {
 public:
  Compression compression() const override { return Compression::kSnappy; }

  absl::Status Decompress(std::string_view compressed, int64_t size_max,
                          ByteBuffer& out) const override {
    DecompressedBytes plain(size_max, out);
    const absl::Status status =
        snappy_framing::HasHeader(compressed)
            ? DecompressChunks(compressed, plain)
            : DecompressBlock(compressed, {0, compressed.size()}, plain);
    if (status.ok()) plain.Keep();
    return status;
  }

  absl::Status Compress(std::string_view plain, int /*level*/,
                        ByteBuffer& out) const override {
    if (absl::Status status = CheckPlainSize(plain); !status.ok()) {
      return status;
    }
    snappy_framing::AppendHeader(out);
    while (!plain.empty()) {
      CompressChunk(plain.substr(0, snappy_framing::kChunkPlainBytes), out);
      plain.remove_prefix(
          std::min(plain.size(), snappy_framing::kChunkPlainBytes));
    }
    return absl::OkStatus();
  }
};

}  // namespace

const Codec* SnappyCodec() {
  static const absl::NoDestructor<Snappy> codec;
  return codec.get();
}

}  // namespace varve
