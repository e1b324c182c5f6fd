// SPDX-License-Identifier: Apache-2.0

// Bytes to compress and to decompress, and codecs as functions of strings.

#ifndef VARVE_TESTS_CODEC_CODEC_BYTES_H_
#define VARVE_TESTS_CODEC_CODEC_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codec.h"

namespace varve {

// What most of the streams that other programs have made hold.
inline constexpr std::string_view kGreeting =
    "hello, hello, hello, hello, varve";

// `hex` may have spaces.
inline std::string FromHex(std::string_view hex) {
  std::string bytes;
  CHECK(absl::HexStringToBytes(absl::StrReplaceAll(hex, {{" ", ""}}), &bytes));
  return bytes;
}

// What looks like the records of an event log.
inline std::string CompressibleBytes(size_t size) {
  std::string bytes;
  for (uint32_t i = 0; bytes.size() < size; ++i) {
    absl::StrAppend(&bytes, "{\"id\":", i * 2654435761u, ",\"state\":\"",
                    i % 3 == 0 ? "created" : "paid", "\"}");
  }
  bytes.resize(size);
  return bytes;
}

inline std::string RandomBytes(size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

inline std::string Compressed(const Codec& codec, std::string_view plain,
                              int level = Codec::kDefaultLevel) {
  ByteBuffer out;
  CHECK_OK(codec.Compress(plain, level, out));
  return std::string(out.view());
}

// Also sees that what is in the buffer before stays, and that nothing comes
// behind it after an error.
inline absl::StatusOr<std::string> Decompressed(const Codec& codec,
                                                std::string_view stream,
                                                int64_t size_max = int64_t{16}
                                                                   << 20) {
  constexpr std::string_view kBefore = "before";
  ByteBuffer out;
  out.Append(kBefore);
  const absl::Status status = codec.Decompress(stream, size_max, out);
  CHECK(out.view().starts_with(kBefore));
  const std::string_view plain = out.view().substr(kBefore.size());
  CHECK_LE(plain.size(), static_cast<size_t>(size_max));
  if (status.ok()) return std::string(plain);
  CHECK(plain.empty()) << plain.size() << " bytes after " << status;
  return status;
}

}  // namespace varve

#endif  // VARVE_TESTS_CODEC_CODEC_BYTES_H_
