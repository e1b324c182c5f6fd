// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BATCH_CODECS_H_
#define VARVE_LOG_BATCH_CODECS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/record_batch.h"

namespace varve {

// The codecs that a program hands to what it opens. `AllCodecs()` of
// codec/all_codecs.h has all four; a program that wants to link fewer makes its
// own:
//
//   static const varve::Codecs codecs({varve::ZstdCodec()});
//   options.codecs = &codecs;
//
// It borrows the codecs: they, and itself, must outlive everything that was
// opened with them, and the views that were read from it. So both are best
// static.
//
// Thread safety: immutable.
class Codecs {
 public:
  // Bytes that the records of one batch may decompress to, unless a program
  // says otherwise: 128 MiB. Kafka's largest batch is 1 MiB by default, before
  // or after it is compressed.
  static constexpr int64_t kDecompressedSizeMax = int64_t{128} << 20;

  // Precondition: no null pointer, no two codecs of one kind,
  // `decompressed_size_max` is 0 or more.
  explicit Codecs(std::initializer_list<const Codec*> codecs,
                  int64_t decompressed_size_max = kDecompressedSizeMax);

  // The codec of this compression, or null.
  const Codec* Find(Compression compression) const;

  int64_t decompressed_size_max() const { return decompressed_size_max_; }

 private:
  std::array<const Codec*, 5> codecs_ = {};  // by Compression
  int64_t decompressed_size_max_;
};

// Appends the records of a compressed batch, decompressed, to `out`, whose
// bytes are as they were after an error.
//
// Precondition: `batch.compression()` is not kNone.
// Errors: Unimplemented when `codecs` is null or does not have the codec;
// DataLoss for a stream that is damaged; ResourceExhausted for one that has
// more than `decompressed_size_max` bytes in it, or more than `size_max`. The
// message names the codec and the batch's base offset.
absl::Status DecompressRecords(
    const RecordBatch& batch, const Codecs* codecs, ByteBuffer& out,
    int64_t size_max = std::numeric_limits<int64_t>::max());

// The records of any batch, as RecordCursor takes them: in place, or, of one
// that is compressed, in `scratch`, whose bytes they replace. Of a batch
// without records there are none, whatever its attributes say.
//
// Errors: those of DecompressRecords.
absl::StatusOr<std::string_view> PlainRecords(const RecordBatch& batch,
                                              const Codecs* codecs,
                                              ByteBuffer& scratch);

}  // namespace varve

#endif  // VARVE_LOG_BATCH_CODECS_H_
