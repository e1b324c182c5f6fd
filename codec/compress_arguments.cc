// SPDX-License-Identifier: Apache-2.0

#include "varve/codec/compress_arguments.h"

#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "varve/log/batch/codec.h"

namespace varve {

absl::Status CheckPlainSize(std::string_view plain) {
  if (plain.size() <= static_cast<size_t>(kPlainSizeMax)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(plain.size(), " bytes to compress: one batch holds at most ",
                   kPlainSizeMax));
}

absl::Status CheckLevel(int level, const CompressionLevels& levels) {
  if (level == Codec::kDefaultLevel ||
      (level >= levels.least && level <= levels.greatest)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      levels.config, " is ", level, ": its values are ", levels.values));
}

}  // namespace varve
