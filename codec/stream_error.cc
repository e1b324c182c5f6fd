// SPDX-License-Identifier: Apache-2.0

#include "varve/codec/stream_error.h"

#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace varve {

absl::Status StreamError(StreamPlace place, std::string_view why) {
  return absl::DataLossError(
      absl::StrCat("compressed stream of ", place.stream_size_bytes,
                   " bytes, at byte ", place.position, ": ", why));
}

}  // namespace varve
