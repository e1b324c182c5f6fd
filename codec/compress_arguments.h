// SPDX-License-Identifier: Apache-2.0

// What every codec checks before it compresses.

#ifndef VARVE_CODEC_COMPRESS_ARGUMENTS_H_
#define VARVE_CODEC_COMPRESS_ARGUMENTS_H_

#include <cstdint>
#include <limits>
#include <string_view>

#include "absl/status/status.h"

namespace varve {

// Bytes that one stream may hold: a record batch has its size in an int32.
inline constexpr int64_t kPlainSizeMax = std::numeric_limits<int32_t>::max();

// Errors: InvalidArgument for more than kPlainSizeMax bytes.
absl::Status CheckPlainSize(std::string_view plain);

// The levels that a codec has beside Codec::kDefaultLevel, Kafka's config for
// them, and its values in words.
struct CompressionLevels {
  int least = 0;
  int greatest = 0;
  std::string_view config;
  std::string_view values;
};

// Errors: InvalidArgument for a level that the codec does not have; the message
// says which ones it has.
absl::Status CheckLevel(int level, const CompressionLevels& levels);

}  // namespace varve

#endif  // VARVE_CODEC_COMPRESS_ARGUMENTS_H_
