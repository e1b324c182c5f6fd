// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_FUZZ_CODEC_FUZZ_H_
#define VARVE_TESTS_FUZZ_CODEC_FUZZ_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "absl/status/status.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codec.h"

namespace varve {

// Takes any bytes for a stream of the codec, and then for what it compresses
// and decompresses again.
inline void FuzzCodec(const Codec& codec, const uint8_t* data, size_t size) {
  constexpr int64_t kSizeMax = 100'000;
  constexpr std::string_view kBefore = "before";
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ByteBuffer out;
  out.Append(kBefore);
  const absl::Status status = codec.Decompress(bytes, kSizeMax, out);
  const std::string_view plain = out.view().substr(kBefore.size());
  if (!out.view().starts_with(kBefore)) std::abort();
  if (plain.size() > static_cast<size_t>(kSizeMax)) std::abort();
  if (!status.ok() && !(plain.empty() && (absl::IsDataLoss(status) ||
                                          absl::IsResourceExhausted(status)))) {
    std::abort();
  }
  ByteBuffer stream;
  if (!codec.Compress(bytes, Codec::kDefaultLevel, stream).ok()) std::abort();
  out.Truncate(0);
  const auto size_max = static_cast<int64_t>(size);
  if (!codec.Decompress(stream.view(), size_max, out).ok()) std::abort();
  if (out.view() != bytes) std::abort();
}

}  // namespace varve

#endif  // VARVE_TESTS_FUZZ_CODEC_FUZZ_H_
