// SPDX-License-Identifier: Apache-2.0

#include "varve/codec/zstd_codec.h"

#include <cstdint>
#include <string_view>

#include "absl/base/no_destructor.h"
#include "absl/status/status.h"
#include "varve/codec/compress_arguments.h"
#include "varve/codec/decompressed_bytes.h"
#include "varve/codec/zstd_frame_reader.h"
#include "varve/codec/zstd_frame_writer.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/record_batch.h"

namespace varve {
namespace {

constexpr CompressionLevels kLevels = {.least = -131072,
                                       .greatest = 22,
                                       .config = "compression.zstd.level",
                                       .values = "-131072 to 22"};
constexpr int kDefault = 3;

class Zstd final : public Codec {
 public:
  Compression compression() const override { return Compression::kZstd; }

  absl::Status Decompress(std::string_view compressed, int64_t size_max,
                          ByteBuffer& out) const override {
    DecompressedBytes plain(size_max, out);
    const absl::Status status = ReadZstdFrames(compressed, plain);
    if (status.ok()) plain.Keep();
    return status;
  }

  absl::Status Compress(std::string_view plain, int level,
                        ByteBuffer& out) const override {
    absl::Status status = CheckPlainSize(plain);
    status.Update(CheckLevel(level, kLevels));
    if (!status.ok()) return status;
    AppendZstdFrame(plain, level == kDefaultLevel ? kDefault : level, out);
    return absl::OkStatus();
  }
};

}  // namespace

const Codec* ZstdCodec() {
  static const absl::NoDestructor<Zstd> codec;
  return codec.get();
}

}  // namespace varve
