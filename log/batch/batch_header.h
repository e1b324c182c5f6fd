// SPDX-License-Identifier: Apache-2.0

// Writing the header of a record batch. Inline, because it is a large part of
// an append of one record.

#ifndef VARVE_LOG_BATCH_BATCH_HEADER_H_
#define VARVE_LOG_BATCH_BATCH_HEADER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/crc/crc32c.h"
#include "absl/log/check.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/record_batch.h"

namespace varve {

// The fields that do not follow from the bytes after them. The defaults are
// those of a batch with no place, no producer and no records.
struct BatchHeader {
  int64_t base_offset = 0;
  int32_t leader_epoch = -1;
  int16_t attributes = 0;
  int32_t last_offset_delta = 0;
  int64_t base_timestamp_ms = kNoTimestamp;
  int64_t max_timestamp_ms = kNoTimestamp;
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
  int32_t base_sequence = -1;
  int32_t record_count = 0;
};

// Stores everything but the length and the CRC.
inline void StoreBatchHeader(const BatchHeader& header, char* at) {
  DCHECK_GE(header.base_offset, 0);
  DCHECK_LE(header.record_count, int64_t{header.last_offset_delta} + 1);
  StoreBig64(at + batch_layout::kBaseOffset, header.base_offset);
  StoreBig32(at + batch_layout::kLeaderEpoch, header.leader_epoch);
  at[batch_layout::kMagic] = kBatchMagic;
  StoreBig16(at + batch_layout::kAttributes, header.attributes);
  StoreBig32(at + batch_layout::kLastOffsetDelta, header.last_offset_delta);
  StoreBig64(at + batch_layout::kBaseTimestamp, header.base_timestamp_ms);
  StoreBig64(at + batch_layout::kMaxTimestamp, header.max_timestamp_ms);
  StoreBig64(at + batch_layout::kProducerId, header.producer_id);
  StoreBig16(at + batch_layout::kProducerEpoch, header.producer_epoch);
  StoreBig32(at + batch_layout::kBaseSequence, header.base_sequence);
  StoreBig32(at + batch_layout::kRecordCount, header.record_count);
}

inline void StoreBatchCrc(absl::crc32c_t crc, char* at) {
  StoreBig32(at + batch_layout::kCrc,
             static_cast<int32_t>(static_cast<uint32_t>(crc)));
}

// Stores the length of a batch of `size` bytes, after everything else.
//
// Memory ordering: for a signal that ends the process, not for other threads. A
// process that is killed has done all stores before some point of its program
// order and none after it, and the kernel keeps the page; so it is enough that
// the compiler moves none across. A scan after it finds length 0, or a batch.
inline void StoreBatchLength(int64_t size, char* at) {
  DCHECK_GE(size, batch_layout::kRecords);
  DCHECK_LE(size, kBatchSizeMax);
  std::atomic_signal_fence(std::memory_order_release);
  StoreBig32(at + batch_layout::kBatchLength,
             static_cast<int32_t>(size - batch_layout::kLengthEnd));
  std::atomic_signal_fence(std::memory_order_release);
}

// Stores the CRC, then the length. Precondition: all else is in place.
inline void SealBatch(int64_t size, char* at) {
  const std::string_view covered(
      at + batch_layout::kAttributes,
      static_cast<size_t>(size - batch_layout::kAttributes));
  StoreBatchCrc(absl::ComputeCrc32c(covered), at);
  StoreBatchLength(size, at);
}

}  // namespace varve

#endif  // VARVE_LOG_BATCH_BATCH_HEADER_H_
