// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_BENCH_BARE_BARE_DECOMPRESSION_H_
#define VARVE_BENCH_BARE_BARE_DECOMPRESSION_H_

#include <cstdint>
#include <memory>
#include <string_view>

#include "varve/log/batch/record_batch.h"

namespace varve::bench {

// The bare loop that scans of compressed batches are measured against: a
// compression library, called directly, with one context and one buffer for all
// streams. It looks at nothing that comes out.
//
// Thread safety: externally synchronized.
class BareDecompressor {
 public:
  // For streams of this codec, each of which `buffer_bytes` of records come out
  // of at most. Precondition: not kNone.
  static std::unique_ptr<BareDecompressor> New(Compression compression,
                                               int64_t buffer_bytes);
  virtual ~BareDecompressor() = default;

  // Decompresses a stream, which must be valid; returns how many bytes have
  // come out of it.
  virtual int64_t Decompress(std::string_view stream) = 0;
};

}  // namespace varve::bench

#endif  // VARVE_BENCH_BARE_BARE_DECOMPRESSION_H_
