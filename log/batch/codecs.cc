// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/codecs.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/record_batch.h"

namespace varve {

Codecs::Codecs(std::initializer_list<const Codec*> codecs,
               int64_t decompressed_size_max)
    : decompressed_size_max_(decompressed_size_max) {
  CHECK_GE(decompressed_size_max, 0);
  for (const Codec* codec : codecs) {
    CHECK(codec != nullptr);
    const auto index = static_cast<size_t>(codec->compression());
    CHECK(index > 0 && index < codecs_.size()) << index;
    CHECK(codecs_[index] == nullptr)
        << "two codecs for " << CompressionName(codec->compression());
    codecs_[index] = codec;
  }
}

const Codec* Codecs::Find(Compression compression) const {
  const auto index = static_cast<size_t>(compression);
  return index < codecs_.size() ? codecs_[index] : nullptr;
}

absl::Status DecompressRecords(const RecordBatch& batch, const Codecs* codecs,
                               ByteBuffer& out, int64_t size_max) {
  const Compression compression = batch.compression();
  DCHECK(compression != Compression::kNone);
  const Codec* const codec =
      codecs == nullptr ? nullptr : codecs->Find(compression);
  if (codec == nullptr) {
    return absl::UnimplementedError(absl::StrCat(
        "record batch at offset ", batch.base_offset(), " is compressed with ",
        CompressionName(compression),
        ", and no codec for that was given to what opened the log: its options "
        "have a field `codecs`"));
  }
  const absl::Status status = codec->Decompress(
      batch.records(), std::min(size_max, codecs->decompressed_size_max()),
      out);
  if (status.ok()) return status;
  return absl::Status(
      status.code(),
      absl::StrCat("record batch at offset ", batch.base_offset(), ", ",
                   CompressionName(compression), ": ", status.message()));
}

absl::StatusOr<std::string_view> PlainRecords(const RecordBatch& batch,
                                              const Codecs* codecs,
                                              ByteBuffer& scratch) {
  if (batch.compression() == Compression::kNone) return batch.records();
  scratch.Truncate(0);
  if (batch.record_count() == 0) return scratch.view();
  absl::Status status = DecompressRecords(batch, codecs, scratch);
  if (!status.ok()) return status;
  return scratch.view();
}

}  // namespace varve
