// SPDX-License-Identifier: Apache-2.0

#include "varve/codec/zstd_frame_reader.h"

// For ZSTD_decompressBound.
#define ZSTD_STATIC_LINKING_ONLY

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "varve/codec/decompressed_bytes.h"
#include "varve/codec/stream_error.h"
#include "varve/codec/thread_context.h"
#include "zstd.h"
#include "zstd_errors.h"

namespace varve {
namespace {

// What libzstd allows a frame by default, and so what Kafka's readers do.
constexpr uint64_t kWindowMax = uint64_t{1} << 27;

// Room that a frame gets at first, at most: so many bytes, or times its size.
// Beyond that it gets what it has shown to need.
constexpr size_t kFirstRoom = size_t{1} << 20;
constexpr size_t kFirstExpansion = 32;
constexpr size_t kGrowth = 4;

struct Decompressor {
  Decompressor() : zstd(ZSTD_createDCtx()) {
    if (zstd == nullptr) throw std::bad_alloc();
  }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  ~Decompressor() { ZSTD_freeDCtx(zstd); }
  bool worth_keeping() const { return true; }

  ZSTD_DCtx* zstd;
};

// The window that a whole frame asks for (RFC 8878, 3.1.1.1.2); 0 for one that
// is a single segment, which has none, and for a skippable one.
uint64_t WindowBytes(std::string_view frame) {
  uint32_t magic;  // little-endian, as is the machine
  std::memcpy(&magic, frame.data(), sizeof magic);
  constexpr uint8_t kSingleSegment = 0x20;
  const auto descriptor = static_cast<uint8_t>(frame[4]);
  if (magic != ZSTD_MAGICNUMBER || (descriptor & kSingleSegment) != 0) return 0;
  const auto window = static_cast<uint8_t>(frame[5]);
  const uint64_t power = uint64_t{1} << (10 + (window >> 3));
  return power + power / 8 * (window & 7);
}

class FrameReader {
 public:
  FrameReader(std::string_view stream, ZSTD_DCtx* zstd,
              DecompressedBytes& plain)
      : stream_(stream), zstd_(zstd), plain_(plain) {}

  // Reads the next frame; there is one.
  absl::Status Read() {
    const std::string_view rest = stream_.substr(position_);
    const size_t size = ZSTD_findFrameCompressedSize(rest.data(), rest.size());
    if (ZSTD_isError(size)) return Error(ZSTD_getErrorName(size));
    const std::string_view frame = rest.substr(0, size);
    if (WindowBytes(frame) > kWindowMax) {
      return Error(absl::StrCat("it asks for a window of ", WindowBytes(frame),
                                " bytes, and Kafka's readers have ",
                                kWindowMax));
    }
    if (absl::Status status = Decompress(frame); !status.ok()) return status;
    position_ += size;
    return absl::OkStatus();
  }

  bool at_end() const { return position_ == stream_.size(); }

 private:
  // In one go, into memory that the frame's own bytes justify, so that zstd
  // needs no window beside it. A frame that needs more begins again.
  absl::Status Decompress(std::string_view frame) {
    const uint64_t bound = ZSTD_decompressBound(frame.data(), frame.size());
    uint64_t wanted =
        std::max(kFirstRoom, kFirstExpansion * uint64_t{frame.size()});
    for (;; wanted *= kGrowth) {
      const absl::Span<char> room =
          plain_.Room(std::clamp<uint64_t>(bound, 1, wanted));
      const size_t made = ZSTD_decompressDCtx(zstd_, room.data(), room.size(),
                                              frame.data(), frame.size());
      if (!ZSTD_isError(made)) return plain_.Add(made);
      switch (ZSTD_getErrorCode(made)) {
        case ZSTD_error_memory_allocation:
          throw std::bad_alloc();
        case ZSTD_error_dstSize_tooSmall:
          if (room.size() > plain_.left()) return plain_.TooMany();
          if (room.size() < bound) break;
          return Error("more comes out of it than its header says");
        default:
          return Error(ZSTD_getErrorName(made));
      }
    }
  }

  // About the frame at `position_`.
  absl::Status Error(std::string_view why) const {
    return StreamError(
        {position_, stream_.size()},
        absl::StrCat("the zstd frame that begins here cannot be read: ", why));
  }

  const std::string_view stream_;
  ZSTD_DCtx* const zstd_;
  DecompressedBytes& plain_;
  size_t position_ = 0;
};

}  // namespace

absl::Status ReadZstdFrames(std::string_view stream, DecompressedBytes& plain) {
  ThreadContext<Decompressor> decompressor;
  FrameReader frames(stream, decompressor->zstd, plain);
  while (!frames.at_end()) {
    if (absl::Status status = frames.Read(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace varve
