// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BATCH_CODEC_H_
#define VARVE_LOG_BATCH_CODEC_H_

#include <cstdint>
#include <limits>
#include <string_view>

#include "absl/status/status.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/record_batch.h"

namespace varve {

// One of Kafka's codecs: compresses the records of a batch as one stream, and
// decompresses them. Those of varve are in codec/; the log itself links none.
//
// Thread safety: thread-safe, and without a state that a caller could see.
class Codec {
 public:
  // The level that Kafka has as its default: of each codec its own. It is none
  // of the levels of any.
  static constexpr int kDefaultLevel = std::numeric_limits<int>::min();

  virtual ~Codec() = default;

  // Which one it is; never kNone.
  virtual Compression compression() const = 0;

  // Appends what `compressed` decompresses to, at most `size_max` bytes, to
  // `out`. Memory is taken as bytes come out, never for what the stream claims.
  // After an error `out` is as it was.
  //
  // Errors: DataLoss for a stream that is damaged or incomplete;
  // ResourceExhausted for one that has more than `size_max` bytes in it.
  virtual absl::Status Decompress(std::string_view compressed, int64_t size_max,
                                  ByteBuffer& out) const = 0;

  // Appends `plain`, compressed, to `out`: a stream as Kafka's own clients
  // write it. `level` is in the range of `compression.<codec>.level` in Kafka,
  // or kDefaultLevel; snappy has none, and ignores it.
  //
  // Errors: InvalidArgument for a level that the codec does not have, and for
  // more bytes than fit one stream; after it `out` is as it was.
  virtual absl::Status Compress(std::string_view plain, int level,
                                ByteBuffer& out) const = 0;
};

}  // namespace varve

#endif  // VARVE_LOG_BATCH_CODEC_H_
