// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BATCH_DECOMPRESSOR_H_
#define VARVE_LOG_BATCH_DECOMPRESSOR_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "varve/log/batch/codecs.h"
#include "varve/log/batch/decompression_memory.h"
#include "varve/log/batch/record_batches.h"

namespace varve {

// What a reader decompresses with: the codecs, and memory that its copies
// share. The readers of one store have copies of one.
//
// Thread safety: immutable; the memory is thread-safe.
class Decompressor {
 public:
  // Borrows the codecs, which must outlive it and the views it makes; null:
  // what is compressed stays so, and is Unimplemented to who reads the records.
  explicit Decompressor(const Codecs* codecs = nullptr,
                        std::shared_ptr<DecompressionMemory> memory =
                            std::make_shared<DecompressionMemory>())
      : codecs_(codecs), memory_(std::move(memory)) {}

  const Codecs* codecs() const { return codecs_; }

  // The view with the records of its compressed batches, decompressed. It ends
  // before the batch, unless that is the first, with which the decompressed
  // records would be more than `max_bytes`. What a stream says of its size is
  // not believed: a batch that would be too large by the ratio of those before
  // it is left out untried, any other one is decompressed as far as there is
  // room.
  //
  // Allocates a hundred bytes, and memory for the records where no view before
  // has left some.
  //
  // Precondition: the view is not empty, and not decompressed.
  RecordBatches Decompress(RecordBatches view, int64_t max_bytes) const;

 private:
  const Codecs* codecs_;
  std::shared_ptr<DecompressionMemory> memory_;  // never null
};

}  // namespace varve

#endif  // VARVE_LOG_BATCH_DECOMPRESSOR_H_
