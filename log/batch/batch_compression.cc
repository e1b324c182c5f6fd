// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/batch_compression.h"

#include <cstdint>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/batch_header.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/record_batch.h"

namespace varve {
namespace {

// Begins a batch with the header of another, and the codec of its own.
void BeginBatch(const RecordBatch& like, Compression compression,
                ByteBuffer& out) {
  out.Truncate(0);
  out.Append(like.bytes().substr(0, batch_layout::kRecords));
  const int others = like.attributes() & ~batch_attributes::kCompressionMask;
  StoreBig16(out.data() + batch_layout::kAttributes,
             static_cast<int16_t>(others | static_cast<int>(compression)));
}

bool FitsABatch(const ByteBuffer& out) {
  return static_cast<int64_t>(out.size()) <= kBatchSizeMax;
}

// Precondition: it fits one.
RecordBatch EndBatch(ByteBuffer& out) {
  SealBatch(static_cast<int64_t>(out.size()), out.data());
  return RecordBatch(out.view());
}

}  // namespace

absl::StatusOr<RecordBatch> CompressBatch(const RecordBatch& plain,
                                          const Codec& codec, int level,
                                          ByteBuffer& out) {
  DCHECK(plain.compression() == Compression::kNone);
  BeginBatch(plain, codec.compression(), out);
  const absl::Status status = codec.Compress(plain.records(), level, out);
  if (!status.ok()) return status;
  if (!FitsABatch(out)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a compressed batch of ", out.size(),
                     " bytes exceeds the limit of ", kBatchSizeMax));
  }
  return EndBatch(out);
}

absl::StatusOr<RecordBatch> DecompressBatch(const RecordBatch& batch,
                                            const Codecs* codecs,
                                            ByteBuffer& out) {
  BeginBatch(batch, Compression::kNone, out);
  const absl::Status status = DecompressRecords(batch, codecs, out);
  if (!status.ok()) return status;
  if (!FitsABatch(out)) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "record batch at offset ", batch.base_offset(), ", decompressed, has ",
        out.size(), " bytes and exceeds the limit of ", kBatchSizeMax));
  }
  return EndBatch(out);
}

}  // namespace varve
