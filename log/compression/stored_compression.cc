// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compression/stored_compression.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/incoming_batch.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/compression/batch_reencoding.h"
#include "varve/log/compression/compression_buffers.h"
#include "varve/log/metadata/log_config.h"

namespace varve {
namespace {

// Nothing for a topic that stores batches as they come.
std::optional<BatchEncoding> EncodingOf(const LogConfig& config) {
  // In the range of an int: the config is valid.
  const auto level = [](int64_t value) { return static_cast<int>(value); };
  const int64_t gzip_level = config.compression_gzip_level;
  switch (config.compression_type) {
    case CompressionType::kProducer:
      return std::nullopt;
    case CompressionType::kUncompressed:
      return BatchEncoding{.compression = Compression::kNone};
    case CompressionType::kGzip:
      return BatchEncoding{Compression::kGzip, gzip_level == -1
                                                   ? Codec::kDefaultLevel
                                                   : level(gzip_level)};
    case CompressionType::kSnappy:
      return BatchEncoding{Compression::kSnappy, Codec::kDefaultLevel};
    case CompressionType::kLz4:
      return BatchEncoding{Compression::kLz4,
                           level(config.compression_lz4_level)};
    case CompressionType::kZstd:
      return BatchEncoding{Compression::kZstd,
                           level(config.compression_zstd_level)};
  }
  return std::nullopt;
}

// The record as a batch of its own.
absl::StatusOr<RecordBatch> BatchOfOne(const IncomingBatch& record,
                                       ByteBuffer& out) {
  if (record.size() > kBatchSizeMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("a batch of ", record.size(),
                     " bytes exceeds the limit of ", kBatchSizeMax));
  }
  const auto size = static_cast<size_t>(record.size());
  out.Truncate(0);
  record.PlaceAt(out.Reserve(size), {});
  out.Extend(size);
  return RecordBatch(out.view());
}

}  // namespace

uint64_t StoredCompression::Pack(const LogConfig& config) {
  const std::optional<BatchEncoding> encoding = EncodingOf(config);
  if (!encoding.has_value()) return kKeepsAll;
  const auto level = static_cast<uint32_t>(encoding->level);
  return uint64_t{level} << 8 | static_cast<uint8_t>(encoding->compression);
}

BatchEncoding StoredCompression::Unpack(uint64_t packed) {
  return {.compression = static_cast<Compression>(packed & 0xff),
          .level = static_cast<int>(static_cast<uint32_t>(packed >> 8))};
}

absl::StatusOr<std::optional<EncodedBatch>> StoredCompression::Encode(
    const IncomingBatch& incoming, CompressionBuffers& buffers) const {
  const uint64_t packed = packed_.load(std::memory_order_relaxed);
  if (packed == kKeepsAll) return std::nullopt;
  const BatchEncoding wanted = Unpack(packed);
  const EncodedBatch* const encoded = incoming.encoded();
  if (encoded == nullptr && wanted.compression == Compression::kNone) {
    return std::nullopt;
  }
  absl::StatusOr<RecordBatch> batch =
      encoded != nullptr ? encoded->batch()
                         : BatchOfOne(incoming, buffers.plain());
  if (!batch.ok()) return batch.status();
  if (IsStoredAsItCame(*batch, wanted)) return std::nullopt;
  batch = ReencodeBatch(*batch, wanted, codecs_, buffers);
  if (!batch.ok()) return batch.status();
  return EncodedBatch::Unchecked(*batch);
}

}  // namespace varve
