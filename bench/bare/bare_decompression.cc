// SPDX-License-Identifier: Apache-2.0

#include "bench/bare/bare_decompression.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/log/check.h"
#include "absl/log/log.h"
#include "lz4frame.h"
#include "snappy.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/record_batch.h"
#include "zlib.h"
#include "zstd.h"

namespace varve::bench {
namespace {

class BareGzip final : public BareDecompressor {
 public:
  explicit BareGzip(size_t buffer_bytes) : buffer_(buffer_bytes, '\0') {
    CHECK_EQ(inflateInit2(&zlib_, MAX_WBITS + 16), Z_OK);
  }
  ~BareGzip() override { inflateEnd(&zlib_); }

  int64_t Decompress(std::string_view stream) override {
    CHECK_EQ(inflateReset(&zlib_), Z_OK);
    // It never writes to its input.
    zlib_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(stream.data()));
    zlib_.avail_in = static_cast<uInt>(stream.size());
    zlib_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
    zlib_.avail_out = static_cast<uInt>(buffer_.size());
    CHECK_EQ(inflate(&zlib_, Z_FINISH), Z_STREAM_END);
    return static_cast<int64_t>(buffer_.size() - zlib_.avail_out);
  }

 private:
  std::string buffer_;
  z_stream zlib_ = {};
};

class BareSnappy final : public BareDecompressor {
 public:
  explicit BareSnappy(size_t buffer_bytes) : buffer_(buffer_bytes, '\0') {}

  // A header of 16 bytes, then chunks, each with its length before it.
  int64_t Decompress(std::string_view stream) override {
    char* to = buffer_.data();
    stream.remove_prefix(16);
    while (!stream.empty()) {
      const auto length = static_cast<size_t>(LoadBig32(stream.data()));
      const std::string_view block = stream.substr(4, length);
      size_t size = 0;
      CHECK(snappy::GetUncompressedLength(block.data(), block.size(), &size));
      CHECK(snappy::RawUncompress(block.data(), block.size(), to));
      to += size;
      stream.remove_prefix(4 + length);
    }
    return to - buffer_.data();
  }

 private:
  std::string buffer_;
};

class BareLz4 final : public BareDecompressor {
 public:
  explicit BareLz4(size_t buffer_bytes) : buffer_(buffer_bytes, '\0') {
    CHECK(!LZ4F_isError(LZ4F_createDecompressionContext(&lz4_, LZ4F_VERSION)));
  }
  ~BareLz4() override { LZ4F_freeDecompressionContext(lz4_); }

  int64_t Decompress(std::string_view stream) override {
    LZ4F_resetDecompressionContext(lz4_);
    size_t made = buffer_.size();
    size_t taken = stream.size();
    CHECK_EQ(LZ4F_decompress(lz4_, buffer_.data(), &made, stream.data(), &taken,
                             nullptr),
             0u);
    CHECK_EQ(taken, stream.size());
    return static_cast<int64_t>(made);
  }

 private:
  std::string buffer_;
  LZ4F_dctx* lz4_ = nullptr;
};

class BareZstd final : public BareDecompressor {
 public:
  explicit BareZstd(size_t buffer_bytes)
      : buffer_(buffer_bytes, '\0'), zstd_(ZSTD_createDCtx()) {}
  ~BareZstd() override { ZSTD_freeDCtx(zstd_); }

  int64_t Decompress(std::string_view stream) override {
    const size_t made = ZSTD_decompressDCtx(
        zstd_, buffer_.data(), buffer_.size(), stream.data(), stream.size());
    CHECK(!ZSTD_isError(made));
    return static_cast<int64_t>(made);
  }

 private:
  std::string buffer_;
  ZSTD_DCtx* const zstd_;
};

}  // namespace

std::unique_ptr<BareDecompressor> BareDecompressor::New(Compression compression,
                                                        int64_t buffer_bytes) {
  const auto bytes = static_cast<size_t>(buffer_bytes);
  switch (compression) {
    case Compression::kGzip:
      return std::make_unique<BareGzip>(bytes);
    case Compression::kSnappy:
      return std::make_unique<BareSnappy>(bytes);
    case Compression::kLz4:
      return std::make_unique<BareLz4>(bytes);
    case Compression::kZstd:
      return std::make_unique<BareZstd>(bytes);
    default:
      LOG(FATAL) << "no codec " << static_cast<int>(compression);
  }
}

}  // namespace varve::bench
