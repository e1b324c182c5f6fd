// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_CODEC_STREAM_ERROR_H_
#define VARVE_CODEC_STREAM_ERROR_H_

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"

namespace varve {

// A place in a compressed stream.
struct StreamPlace {
  size_t position = 0;
  size_t stream_size_bytes = 0;
};

// DataLoss: why a compressed stream cannot be decompressed, and from where on.
// `why` is a sentence about what stands at the place.
absl::Status StreamError(StreamPlace place, std::string_view why);

}  // namespace varve

#endif  // VARVE_CODEC_STREAM_ERROR_H_
