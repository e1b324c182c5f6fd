// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_COMPRESSION_BATCH_REENCODING_H_
#define VARVE_LOG_COMPRESSION_BATCH_REENCODING_H_

#include "absl/status/statusor.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/compression/compression_buffers.h"

namespace varve {

// How a topic has its batches: not compressed (kNone), or with this codec. The
// level is for those that an append compresses.
struct BatchEncoding {
  Compression compression = Compression::kNone;
  int level = 0;
};

// Whether a topic stores the batch as it came: it has the topic's codec, at
// whatever level; or it is a control batch, which Kafka never compresses; or
// there is no record in it.
inline bool IsStoredAsItCame(const RecordBatch& batch,
                             const BatchEncoding& wanted) {
  return batch.compression() == wanted.compression || batch.is_control() ||
         batch.record_count() == 0;
}

// The batch in another encoding: decompressed if it is compressed, its records
// checked, and compressed if that is wanted, though it were larger then. Of its
// header only the codec, the length and the CRC change. (Kafka's brokers make
// the base timestamp anew as well, and mean the same times.) The result is in
// the buffers; the batch itself may be in their `plain`.
//
// Precondition: not `IsStoredAsItCame`; CheckBatchHeader accepts the batch.
// One that is compressed is not in the buffers.
// Thread safety: thread-safe, each thread with its own buffers.
// Errors, which name what is wrong with the batch: FailedPrecondition when a
// codec is missing. InvalidArgument for a wrong CRC, for a compressed stream
// that is damaged or has more than Codecs::decompressed_size_max bytes in it,
// for records that CheckBatchRecords refuses, and for a result above
// kBatchSizeMax.
absl::StatusOr<RecordBatch> ReencodeBatch(const RecordBatch& batch,
                                          const BatchEncoding& wanted,
                                          const Codecs* codecs,
                                          CompressionBuffers& buffers);

}  // namespace varve

#endif  // VARVE_LOG_COMPRESSION_BATCH_REENCODING_H_
