// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METADATA_READ_OPTIONS_H_
#define VARVE_LOG_METADATA_READ_OPTIONS_H_

#include <cstdint>

#include "varve/log/batch/record_batch.h"

namespace varve {

// How far a read looks.
enum class ReadLevel {
  // kDurable as long as every append of this process to the partition was a
  // kSynced one, or an AppendAsync; kVisible from the first weaker one on,
  // until the store is opened again: a program that appends like that accepts
  // that a power loss takes records back. For a ReadOnlyPartition always
  // kVisible, because it does not know how the writer appends.
  kDefault,
  kVisible,  // to the visible end
  // To the durable end: no record that a power loss could still replace by
  // another one at the same offset. For a ReadOnlyPartition to the recovery
  // point, a lower bound that is a second late.
  kDurable,
};

// What a read does with compressed batches.
enum class Decompression {
  // It decompresses their records, if what opened the log was given the codecs
  // (the field `codecs` of its options). A batch that cannot be decompressed
  // does not fail the read: RecordBatches::Records says why when it gets there.
  kDecompress,
  // It leaves them as they are, and so costs nothing: for programs that copy
  // batches on. RecordBatches::Records is Unimplemented at the first of them.
  kLeave,
};

// Which records of transactions a read returns: Kafka's isolation.level.
enum class Isolation {
  // All, whether their transactions were committed, aborted or are open.
  kReadUncommitted,
  // Those of committed transactions, and those of none. The read ends at the
  // last stable offset: before the first record of the earliest transaction
  // that is open.
  kReadCommitted,
};

struct ReadOptions {
  // Bytes of batches to return at most, as they are in the log, and bytes to
  // decompress the records of compressed ones to; always one whole batch at
  // least. So the memory of a view is bounded by this, or by the records of
  // one batch, which are at most Codecs::decompressed_size_max bytes
  // (log/batch/codecs.h). Larger: fewer calls; a view that pins more. Default:
  // 1 MiB. Range: 0 up.
  int64_t max_bytes = int64_t{1} << 20;
  // Whether each batch's CRC is verified before it is returned. With kSkip
  // damaged bytes may be returned as records; their structure is still checked,
  // so nothing is read from outside of a batch. Default: kVerify.
  CrcCheck crc = CrcCheck::kVerify;
  ReadLevel level = ReadLevel::kDefault;
  Decompression decompression = Decompression::kDecompress;
  // Batches are returned whatever their transactions came to: it is
  // RecordBatches::Records that passes over the records of aborted ones.
  // Default: as in Kafka.
  Isolation isolation = Isolation::kReadUncommitted;
};

}  // namespace varve

#endif  // VARVE_LOG_METADATA_READ_OPTIONS_H_
