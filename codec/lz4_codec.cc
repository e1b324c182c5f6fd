// SPDX-License-Identifier: Apache-2.0

#include "varve/codec/lz4_codec.h"

#include <cstdint>
#include <string_view>

#include "absl/base/no_destructor.h"
#include "absl/status/status.h"
#include "varve/codec/compress_arguments.h"
#include "varve/codec/decompressed_bytes.h"
#include "varve/codec/lz4_frame_reader.h"
#include "varve/codec/lz4_frame_writer.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/record_batch.h"

namespace varve {
namespace {

constexpr CompressionLevels kLevels = {.least = 1,
                                       .greatest = 17,
                                       .config = "compression.lz4.level",
                                       .values = "1 to 17"};

class Lz4 final : public Codec {
 public:
  Compression compression() const override { return Compression::kLz4; }

  absl::Status Decompress(std::string_view compressed, int64_t size_max,
                          ByteBuffer& out) const override {
    DecompressedBytes plain(size_max, out);
    const absl::Status status = ReadLz4Frame(compressed, plain);
    if (status.ok()) plain.Keep();
    return status;
  }

  absl::Status Compress(std::string_view plain, int level,
                        ByteBuffer& out) const override {
    absl::Status status = CheckPlainSize(plain);
    status.Update(CheckLevel(level, kLevels));
    if (!status.ok()) return status;
    AppendLz4Frame(plain, level == kDefaultLevel ? kLz4FastLevel : level, out);
    return absl::OkStatus();
  }
};

}  // namespace

const Codec* Lz4Codec() {
  static const absl::NoDestructor<Lz4> codec;
  return codec.get();
}

}  // namespace varve
