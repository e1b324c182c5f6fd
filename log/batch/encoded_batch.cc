// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/encoded_batch.h"

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/log/batch/batch_admission.h"
#include "varve/log/batch/batch_compression.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/record_batch.h"

namespace varve {

absl::StatusOr<EncodedBatch> EncodedBatch::Parse(std::string_view bytes) {
  absl::StatusOr<RecordBatch> batch =
      RecordBatch::Parse(bytes, CrcCheck::kVerify);
  if (!batch.ok()) return batch.status();
  const auto given = static_cast<int64_t>(bytes.size());
  if (batch->size() != given) {
    return absl::InvalidArgumentError(
        absl::StrCat("a batch of ", batch->size(), " bytes is followed by ",
                     given - batch->size(), " more; one batch is expected"));
  }
  const EncodedBatch encoded(*batch);
  if (encoded.record_count() != encoded.offset_count()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a batch of ", encoded.record_count(), " records takes ",
        encoded.offset_count(), " offsets; only a whole one can be appended"));
  }
  if (absl::Status status = CheckBatchHeader(*batch); !status.ok())
    return status;
  if (absl::Status status = CheckBatchRecords(*batch); !status.ok())
    return status;
  return encoded;
}

absl::StatusOr<EncodedBatch> EncodedBatch::Parse(std::string_view bytes,
                                                 const Codecs* codecs) {
  absl::StatusOr<EncodedBatch> encoded = Parse(bytes);
  if (!encoded.ok() || encoded->batch().compression() == Compression::kNone) {
    return encoded;
  }
  ByteBuffer buffer;
  const absl::StatusOr<RecordBatch> plain =
      DecompressBatch(encoded->batch(), codecs, buffer);
  if (!plain.ok()) return plain.status();
  if (absl::Status status = CheckBatchRecords(*plain); !status.ok())
    return status;
  return encoded;
}

}  // namespace varve
