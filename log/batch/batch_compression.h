// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BATCH_BATCH_COMPRESSION_H_
#define VARVE_LOG_BATCH_BATCH_COMPRESSION_H_

#include "absl/status/statusor.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/record_batch.h"

namespace varve {

// Both make a batch of another one's header and its records in another form.
// Of the header, the codec, the length and the CRC are those of the new batch;
// everything else is kept. It replaces what `out` held, and is valid until
// `out` is next changed.
//
// Thread safety: externally synchronized.

// The batch with its records compressed. The length and the CRC of `plain` are
// not looked at.
//
// Precondition: `plain` is not compressed, and not in `out`.
// Errors: InvalidArgument for a level that the codec does not have, and for a
// batch that would exceed kBatchSizeMax.
absl::StatusOr<RecordBatch> CompressBatch(const RecordBatch& plain,
                                          const Codec& codec, int level,
                                          ByteBuffer& out);

// The batch with its records decompressed; they are not checked.
//
// Precondition: `batch` is compressed, and not in `out`.
// Errors: those of DecompressRecords (log/batch/codecs.h); ResourceExhausted
// also for a batch that would exceed kBatchSizeMax.
absl::StatusOr<RecordBatch> DecompressBatch(const RecordBatch& batch,
                                            const Codecs* codecs,
                                            ByteBuffer& out);

}  // namespace varve

#endif  // VARVE_LOG_BATCH_BATCH_COMPRESSION_H_
