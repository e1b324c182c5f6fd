// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compression/batch_reencoding.h"

#include <string_view>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/log/batch/batch_admission.h"
#include "varve/log/batch/batch_compression.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/compression/compression_buffers.h"

namespace varve {
namespace {

const Codec* Find(const Codecs* codecs, Compression compression) {
  return codecs == nullptr ? nullptr : codecs->Find(compression);
}

// The value of compression.type.
std::string_view TypeName(const BatchEncoding& wanted) {
  return wanted.compression == Compression::kNone
             ? "uncompressed"
             : CompressionName(wanted.compression);
}

absl::Status MissingCodec(Compression codec, const BatchEncoding& wanted) {
  return absl::FailedPreconditionError(absl::StrCat(
      "compression.type=", TypeName(wanted), ": this append needs the codec ",
      CompressionName(codec),
      ", which is not among StoreOptions::codecs: open the store with it, or "
      "set compression.type to producer"));
}

// What is wrong with a batch that was to be appended is wrong with the
// argument: the log is as it was.
absl::Status AsRefusal(const absl::Status& status,
                       const BatchEncoding& wanted) {
  return absl::InvalidArgumentError(absl::StrCat(
      "a batch cannot be stored as compression.type=", TypeName(wanted),
      " has it: ", status.message()));
}

}  // namespace

absl::StatusOr<RecordBatch> ReencodeBatch(const RecordBatch& batch,
                                          const BatchEncoding& wanted,
                                          const Codecs* codecs,
                                          CompressionBuffers& buffers) {
  DCHECK(!IsStoredAsItCame(batch, wanted));
  for (const Compression needed : {wanted.compression, batch.compression()}) {
    if (needed != Compression::kNone && Find(codecs, needed) == nullptr) {
      return MissingCodec(needed, wanted);
    }
  }
  // The result has a right one, which would hide the damage.
  if (batch.ComputeCrc() != batch.crc()) {
    return AsRefusal(absl::DataLossError(BatchDefectText(BatchDefect::kBadCrc)),
                     wanted);
  }
  const absl::StatusOr<RecordBatch> plain =
      batch.compression() == Compression::kNone
          ? batch
          : DecompressBatch(batch, codecs, buffers.plain());
  if (!plain.ok()) return AsRefusal(plain.status(), wanted);
  if (absl::Status status = CheckBatchRecords(*plain); !status.ok())
    return AsRefusal(status, wanted);
  if (wanted.compression == Compression::kNone) return plain;
  absl::StatusOr<RecordBatch> stored =
      CompressBatch(*plain, *codecs->Find(wanted.compression), wanted.level,
                    buffers.stored());
  if (!stored.ok()) return AsRefusal(stored.status(), wanted);
  return stored;
}

}  // namespace varve
