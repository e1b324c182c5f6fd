// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BATCH_DECOMPRESSED_RECORDS_H_
#define VARVE_LOG_BATCH_DECOMPRESSED_RECORDS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/decompression_memory.h"
#include "varve/log/batch/record_batch.h"

namespace varve {

// The records of the compressed batches of one view (RecordBatches), which owns
// it together with its copies. It pins the bytes that the batches lie in, and
// gives its own memory back when the last copy is gone.
//
// It ends with the first batch that cannot be decompressed, because who reads
// the records of the view stops there.
//
// Thread safety: externally synchronized while batches are added, immutable
// after that.
class DecompressedRecords {
 public:
  // `pin` keeps the bytes of the batches.
  DecompressedRecords(std::shared_ptr<const void> pin,
                      std::shared_ptr<DecompressionMemory> memory);
  ~DecompressedRecords();

  DecompressedRecords(const DecompressedRecords&) = delete;
  DecompressedRecords& operator=(const DecompressedRecords&) = delete;

  // Decompresses the records of a batch that lies behind those added before, to
  // `size_max` bytes at most, if the codecs allow that many. kTooLarge: there
  // are more, and nothing has changed. kFailed: the error is kept as that of
  // the batch, and no more can be added.
  //
  // Precondition: the batch is compressed; those before are kAdded.
  enum class Added { kAdded, kFailed, kTooLarge };
  Added Add(const RecordBatch& batch, const Codecs* codecs, int64_t size_max);

  // Bytes of the records so far, and of the batches that they were in.
  int64_t size_bytes() const;
  int64_t compressed_bytes() const { return compressed_bytes_; }

  // The records of a batch of the view, or the error of `Add`. Nothing for a
  // batch that was not added: its bytes have changed since.
  std::optional<absl::StatusOr<std::string_view>> Find(
      const RecordBatch& batch) const;

 private:
  const std::shared_ptr<const void> pin_;
  const std::shared_ptr<DecompressionMemory> memory_;
  std::unique_ptr<DecompressionMemory::Piece> piece_;  // never null
  int64_t compressed_bytes_ = 0;
  // The batch that could not be decompressed, and why; null: none.
  const char* failed_ = nullptr;
  absl::Status failure_;
};

}  // namespace varve

#endif  // VARVE_LOG_BATCH_DECOMPRESSED_RECORDS_H_
