// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_COMPACTION_BATCH_REWRITER_H_
#define VARVE_LOG_COMPACTION_BATCH_REWRITER_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/record_batch.h"

namespace varve {

// A record of the batch that is written anew.
struct KeptRecord {
  // As its batch holds it, decompressed, its length included; a RecordCursor
  // has accepted it.
  std::string_view encoded;
  int64_t timestamp_ms = kNoTimestamp;  // as RecordView says
};

// Writes batches anew with fewer records, or with a delete horizon, as Kafka's
// MemoryRecords.filterTo does. Base offset, last offset delta, leader epoch,
// the producer's fields, the timestamp type and the marks of a transaction and
// of a control batch stay, and so do the offsets, times, keys, values and
// headers of records. An uncompressed batch comes out byte by byte as Kafka's;
// a compressed one is compressed again with its own codec, at the codec's
// default level.
//
// It keeps its buffers, so that one that is used again stops allocating. A
// result is valid until the next call.
//
// Thread safety: externally synchronized.
class BatchRewriter {
 public:
  // Precondition: `codecs`, which may be null, outlives it.
  explicit BatchRewriter(const Codecs* codecs) : codecs_(codecs) {}

  // The batch with these of its records, in their order. The base timestamp is
  // the delete horizon that it has, or else `new_horizon_ms`, or without either
  // the time of the first record. The largest timestamp is that of these
  // records; with LogAppendTime it stays.
  //
  // Precondition: there is a record; `new_horizon_ms` is only set for a batch
  // without a horizon, and 0 or more.
  // Errors: Unimplemented when the batch's codec is missing; ResourceExhausted
  // for a result that exceeds kBatchSizeMax, because times in it take more
  // bytes than before; those of Codec::Compress.
  absl::StatusOr<RecordBatch> Rewrite(const RecordBatch& batch,
                                      absl::Span<const KeptRecord> records,
                                      std::optional<int64_t> new_horizon_ms);

  // What is left of a batch without its records: a header, for the offsets and
  // the sequences that it has used. It has no codec, no base timestamp and no
  // delete horizon; all else stays.
  RecordBatch Empty(const RecordBatch& batch);

 private:
  const Codecs* const codecs_;
  ByteBuffer plain_;
  ByteBuffer compressed_;
};

}  // namespace varve

#endif  // VARVE_LOG_COMPACTION_BATCH_REWRITER_H_
