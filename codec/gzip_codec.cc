// SPDX-License-Identifier: Apache-2.0

#include "varve/codec/gzip_codec.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>

#include "absl/base/no_destructor.h"
#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "varve/codec/compress_arguments.h"
#include "varve/codec/decompressed_bytes.h"
#include "varve/codec/stream_error.h"
#include "varve/codec/thread_context.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/record_batch.h"
#include "zlib.h"

namespace varve {
namespace {

// zlib counts in `unsigned int`: what is longer goes in by and by.
constexpr size_t kPieceMax = size_t{1} << 30;
constexpr size_t kRoomMin = size_t{16} << 10;

// The header that Java (16 and newer) writes: deflate, no flags, no time, no
// hint about the level, an unknown system. zlib itself would write others.
constexpr std::string_view kHeader("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
constexpr size_t kTrailerBytes = 8;  // CRC-32 and size, little-endian

constexpr CompressionLevels kLevels = {
    .least = 1,
    .greatest = 9,
    .config = "compression.gzip.level",
    .values = "-1, for the default, and 1 to 9"};

// Throws std::bad_alloc if `code` says that memory is short. zlib has no other
// reason to fail here.
void CheckMade(int code) {
  if (code == Z_MEM_ERROR) throw std::bad_alloc();
  CHECK_EQ(code, Z_OK);
}

struct Inflater {
  Inflater() { CheckMade(inflateInit2(&stream, MAX_WBITS + 16)); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream); }
  bool worth_keeping() const { return true; }

  z_stream stream = {};
};

struct Deflater {
  Deflater() {
    CheckMade(deflateInit2(&stream, level, Z_DEFLATED, -MAX_WBITS,
                           /*memLevel=*/8, Z_DEFAULT_STRATEGY));
  }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater() { deflateEnd(&stream); }
  bool worth_keeping() const { return true; }

  // Begins a new stream.
  void Start(int wanted_level) {
    CHECK_EQ(deflateReset(&stream), Z_OK);
    if (level == wanted_level) return;
    CHECK_EQ(deflateParams(&stream, wanted_level, Z_DEFAULT_STRATEGY), Z_OK);
    level = wanted_level;
  }

  int level = Z_DEFAULT_COMPRESSION;
  z_stream stream = {};
};

Bytef* ZlibBytes(const char* bytes) {
  // It never writes to its input.
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes));
}

// Decompresses the members of one stream.
class MemberReader {
 public:
  MemberReader(std::string_view stream, z_stream& zlib, DecompressedBytes& out)
      : stream_(stream), zlib_(zlib), out_(out) {}

  // Whether a member begins where the last one ended. At the end of the stream
  // its first byte alone says so: then the rest of it is missing.
  bool AtMember() const {
    const std::string_view rest = stream_.substr(position_);
    return !rest.empty() && kHeader.substr(0, 2).starts_with(rest.substr(0, 2));
  }

  absl::Status Read() {
    const size_t start = position_;
    CHECK_EQ(inflateReset(&zlib_), Z_OK);
    for (;;) {
      int code = Z_OK;
      if (absl::Status status = Inflate(code); !status.ok()) return status;
      if (code == Z_STREAM_END) return absl::OkStatus();
      if (code == Z_MEM_ERROR) throw std::bad_alloc();
      if (code == Z_BUF_ERROR) return Truncated(start);
      if (code != Z_OK) return Damaged(start);
    }
  }

 private:
  // Takes a piece of the stream, or fills the room there is.
  absl::Status Inflate(int& code) {
    const size_t left = stream_.size() - position_;
    const absl::Span<char> room = out_.Room(std::max(kRoomMin, 2 * left));
    zlib_.next_in = ZlibBytes(stream_.data() + position_);
    zlib_.avail_in = static_cast<uInt>(std::min(left, kPieceMax));
    zlib_.next_out = reinterpret_cast<Bytef*>(room.data());
    zlib_.avail_out = static_cast<uInt>(std::min(room.size(), kPieceMax));
    code = inflate(&zlib_, Z_NO_FLUSH);
    position_ = static_cast<size_t>(zlib_.next_in - ZlibBytes(stream_.data()));
    return out_.Add(static_cast<size_t>(
        reinterpret_cast<char*>(zlib_.next_out) - room.data()));
  }

  absl::Status Truncated(size_t start) const {
    return StreamError(
        {position_, stream_.size()},
        absl::StrCat("ends in the gzip member that begins at byte ", start));
  }

  absl::Status Damaged(size_t start) const {
    return StreamError(
        {position_, stream_.size()},
        absl::StrCat(
            "the gzip member that begins at byte ", start, " is damaged: ",
            zlib_.msg == nullptr ? "zlib gives no reason" : zlib_.msg));
  }

  const std::string_view stream_;
  z_stream& zlib_;
  DecompressedBytes& out_;
  size_t position_ = 0;
};

// The end of a member.
void StoreTrailer(std::string_view plain, char* to) {
  const auto crc =
      static_cast<uint32_t>(crc32_z(0, ZlibBytes(plain.data()), plain.size()));
  const auto size = static_cast<uint32_t>(plain.size());
  std::memcpy(to, &crc, sizeof crc);
  std::memcpy(to + sizeof crc, &size, sizeof size);
}

class Gzip final : public Codec {
 public:
  Compression compression() const override { return Compression::kGzip; }

  absl::Status Decompress(std::string_view compressed, int64_t size_max,
                          ByteBuffer& out) const override {
    ThreadContext<Inflater> inflater;
    DecompressedBytes plain(size_max, out);
    MemberReader members(compressed, inflater->stream, plain);
    do {
      if (absl::Status status = members.Read(); !status.ok()) return status;
    } while (members.AtMember());
    plain.Keep();
    return absl::OkStatus();
  }

  absl::Status Compress(std::string_view plain, int level,
                        ByteBuffer& out) const override {
    if (level == Z_DEFAULT_COMPRESSION) level = kDefaultLevel;
    absl::Status status = CheckPlainSize(plain);
    status.Update(CheckLevel(level, kLevels));
    if (!status.ok()) return status;
    ThreadContext<Deflater> deflater;
    deflater->Start(level == kDefaultLevel ? Z_DEFAULT_COMPRESSION : level);
    z_stream& zlib = deflater->stream;
    const size_t bound = deflateBound(&zlib, plain.size());
    char* const to = out.Reserve(kHeader.size() + bound + kTrailerBytes);
    std::memcpy(to, kHeader.data(), kHeader.size());
    zlib.next_in = ZlibBytes(plain.data());
    zlib.avail_in = static_cast<uInt>(plain.size());
    zlib.next_out = ZlibBytes(to) + kHeader.size();
    zlib.avail_out = static_cast<uInt>(bound);
    CHECK_EQ(deflate(&zlib, Z_FINISH), Z_STREAM_END);
    char* const end = reinterpret_cast<char*>(zlib.next_out);
    StoreTrailer(plain, end);
    out.Extend(static_cast<size_t>(end + kTrailerBytes - to));
    return absl::OkStatus();
  }
};

}  // namespace

const Codec* GzipCodec() {
  static const absl::NoDestructor<Gzip> codec;
  return codec.get();
}

}  // namespace varve
