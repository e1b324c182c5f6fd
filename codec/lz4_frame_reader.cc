// SPDX-License-Identifier: Apache-2.0

#include "varve/codec/lz4_frame_reader.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "lz4frame.h"
#include "varve/codec/decompressed_bytes.h"
#include "varve/codec/stream_error.h"
#include "varve/codec/thread_context.h"

namespace varve {
namespace {

constexpr std::string_view kMagic("\x04\x22\x4d\x18", 4);
constexpr size_t kFlags = 4;  // position in the frame
constexpr uint8_t kDictionaryFlag = 0x01;

constexpr size_t kSizeBytes = 4;      // of a block's size, and of the end mark
constexpr size_t kChecksumBytes = 4;  // of a block, and of the content
constexpr uint32_t kStoredBit = uint32_t{1} << 31;
// What one byte of a block decompresses to at most: a length goes on by 255.
constexpr size_t kExpansionMax = 255;

struct Decompressor {
  Decompressor() {
    if (LZ4F_isError(LZ4F_createDecompressionContext(&lz4, LZ4F_VERSION))) {
      throw std::bad_alloc();
    }
  }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  ~Decompressor() { LZ4F_freeDecompressionContext(lz4); }
  bool worth_keeping() const { return true; }

  LZ4F_dctx* lz4 = nullptr;
};

// Bytes that a block of this frame decompresses to at most.
size_t BlockMax(const LZ4F_frameInfo_t& frame) {
  return size_t{64} << (10 + 2 * (frame.blockSizeID - LZ4F_max64KB));
}

class FrameReader {
 public:
  FrameReader(std::string_view stream, LZ4F_dctx* lz4, DecompressedBytes& plain)
      : stream_(stream), lz4_(lz4), plain_(plain) {
    LZ4F_resetDecompressionContext(lz4);
  }

  absl::Status Read() {
    if (absl::Status status = ReadHeader(); !status.ok()) return status;
    for (;;) {
      if (left() < kSizeBytes) return Error("ends without its end mark");
      uint32_t size;  // little-endian, as is the machine
      std::memcpy(&size, stream_.data() + position_, sizeof size);
      if (size == 0) return ReadEnd();
      if (absl::Status status = ReadBlock(size); !status.ok()) return status;
    }
  }

 private:
  absl::Status ReadHeader() {
    if (!stream_.starts_with(kMagic)) {
      return Error("an LZ4 frame begins with 04 22 4d 18, and this does not");
    }
    size_t size = stream_.size();
    const size_t code = LZ4F_getFrameInfo(lz4_, &frame_, stream_.data(), &size);
    if (LZ4F_isError(code)) return Lz4Error("the LZ4 frame's header", code);
    if ((static_cast<uint8_t>(stream_[kFlags]) & kDictionaryFlag) != 0) {
      return Error(
          "the LZ4 frame needs a dictionary, which Kafka does not have");
    }
    if (frame_.blockMode != LZ4F_blockIndependent) {
      return Error(
          "the LZ4 frame's blocks depend on each other, which Kafka does not "
          "allow");
    }
    position_ = size;
    return absl::OkStatus();
  }

  absl::Status ReadBlock(uint32_t size_field) {
    const size_t size = size_field & ~kStoredBit;
    const size_t block_max = BlockMax(frame_);
    if (size > block_max) {
      return Error(absl::StrCat("an LZ4 block has ", size,
                                " bytes, and the frame's have at most ",
                                block_max));
    }
    const size_t whole =
        kSizeBytes + size +
        (frame_.blockChecksumFlag != LZ4F_noBlockChecksum ? kChecksumBytes : 0);
    if (whole > left()) {
      return Error(absl::StrCat("an LZ4 block takes ", whole, " bytes, and ",
                                left(), " are left"));
    }
    // More than comes out: with room for the largest block, LZ4 needs no buffer
    // of its own.
    const size_t most =
        std::min(block_max,
                 (size_field & kStoredBit) != 0 ? size : size * kExpansionMax);
    return Decompress(whole, std::max<size_t>(most, 1), "the LZ4 block");
  }

  absl::Status ReadEnd() {
    const size_t size =
        kSizeBytes + (frame_.contentChecksumFlag != LZ4F_noContentChecksum
                          ? kChecksumBytes
                          : 0);
    if (size > left()) return Error("ends in the checksum of the LZ4 frame");
    return Decompress(size, 1, "the end of the LZ4 frame");
  }

  // Decompresses the next `size` bytes of the stream, which are a `what`.
  absl::Status Decompress(size_t size, size_t room_wanted,
                          std::string_view what) {
    const absl::Span<char> room = plain_.Room(room_wanted);
    size_t taken = size;
    size_t made = room.size();
    const size_t code =
        LZ4F_decompress(lz4_, room.data(), &made, stream_.data() + position_,
                        &taken, /*dOptPtr=*/nullptr);
    if (LZ4F_isError(code)) return Lz4Error(what, code);
    if (absl::Status status = plain_.Add(made); !status.ok()) return status;
    if (taken != size) return Error(absl::StrCat(what, " ends too early"));
    position_ += size;
    return absl::OkStatus();
  }

  size_t left() const { return stream_.size() - position_; }

  absl::Status Error(std::string_view why) const {
    return StreamError({position_, stream_.size()}, why);
  }

  // What the library says: an error's name.
  absl::Status Lz4Error(std::string_view what, size_t code) const {
    const std::string_view name = LZ4F_getErrorName(code);
    if (name == "ERROR_allocation_failed") throw std::bad_alloc();
    return Error(absl::StrCat(what, " cannot be read: ", name));
  }

  const std::string_view stream_;
  LZ4F_dctx* const lz4_;
  DecompressedBytes& plain_;
  LZ4F_frameInfo_t frame_ = LZ4F_INIT_FRAMEINFO;
  size_t position_ = 0;
};

}  // namespace

absl::Status ReadLz4Frame(std::string_view stream, DecompressedBytes& plain) {
  ThreadContext<Decompressor> decompressor;
  return FrameReader(stream, decompressor->lz4, plain).Read();
}

}  // namespace varve
