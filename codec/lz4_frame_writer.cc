// SPDX-License-Identifier: Apache-2.0

#include "varve/codec/lz4_frame_writer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>

#include "lz4.h"
#include "lz4hc.h"
#include "varve/codec/thread_context.h"
#include "varve/log/batch/byte_buffer.h"

namespace varve {
namespace {

// Magic; version 1 and independent blocks; blocks of 64 KiB; and the header's
// checksum: the second byte of the XXH32 of the two before.
constexpr std::string_view kHeader("\x04\x22\x4d\x18\x60\x40\x82", 7);
constexpr std::string_view kEndMark("\0\0\0\0", 4);
constexpr size_t kBlockPlainBytes = size_t{64} << 10;
constexpr uint32_t kStoredBit = uint32_t{1} << 31;

struct HighCompressor {
  HighCompressor() : lz4(LZ4_createStreamHC()) {
    if (lz4 == nullptr) throw std::bad_alloc();
  }
  HighCompressor(const HighCompressor&) = delete;
  HighCompressor& operator=(const HighCompressor&) = delete;
  ~HighCompressor() { LZ4_freeStreamHC(lz4); }
  bool worth_keeping() const { return true; }

  LZ4_streamHC_t* lz4;
};

// Where a block is compressed to.
struct BlockRoom {
  char* to;
  int size_bytes;
};

// Returns the compressed size.
int CompressBlock(std::string_view plain, int level, BlockRoom room) {
  const int size = static_cast<int>(plain.size());
  if (level == kLz4FastLevel) {
    return LZ4_compress_default(plain.data(), room.to, size, room.size_bytes);
  }
  ThreadContext<HighCompressor> compressor;
  return LZ4_compress_HC_extStateHC(compressor->lz4, plain.data(), room.to,
                                    size, room.size_bytes, level);
}

void AppendBlock(std::string_view plain, int level, ByteBuffer& out) {
  const int bound = LZ4_compressBound(static_cast<int>(plain.size()));
  uint32_t size_field;
  char* const to = out.Reserve(sizeof size_field + static_cast<size_t>(bound));
  char* const block = to + sizeof size_field;
  auto size = static_cast<size_t>(CompressBlock(plain, level, {block, bound}));
  const bool shrinks = size > 0 && size < plain.size();
  if (!shrinks) {
    size = plain.size();
    std::memcpy(block, plain.data(), size);
  }
  // Little-endian, as is the machine.
  size_field = static_cast<uint32_t>(size) | (shrinks ? 0 : kStoredBit);
  std::memcpy(to, &size_field, sizeof size_field);
  out.Extend(sizeof size_field + size);
}

}  // namespace

void AppendLz4Frame(std::string_view plain, int level, ByteBuffer& out) {
  out.Append(kHeader);
  while (!plain.empty()) {
    AppendBlock(plain.substr(0, kBlockPlainBytes), level, out);
    plain.remove_prefix(std::min(plain.size(), kBlockPlainBytes));
  }
  out.Append(kEndMark);
}

}  // namespace varve
