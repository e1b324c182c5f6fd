// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METADATA_FITTING_COMPRESSED_BYTES_H_
#define VARVE_LOG_METADATA_FITTING_COMPRESSED_BYTES_H_

#include <algorithm>
#include <cstdint>

#include "varve/log/metadata/read_options.h"

namespace varve {

// Bytes of compressed batches that a read looks at, at most. Compressed batches
// mostly have two to eight times their size in them, and those that do not fit
// decompressed are left out: their CRCs would have been computed in vain, again
// and again.
inline int64_t FittingCompressedBytes(const ReadOptions& options) {
  constexpr int64_t kSmall = int64_t{64} << 10;
  return options.decompression == Decompression::kLeave ||
                 options.max_bytes <= kSmall
             ? options.max_bytes
             : std::max(kSmall, options.max_bytes / 4);
}

}  // namespace varve

#endif  // VARVE_LOG_METADATA_FITTING_COMPRESSED_BYTES_H_
