// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_CODEC_LZ4_FRAME_READER_H_
#define VARVE_CODEC_LZ4_FRAME_READER_H_

#include <string_view>

#include "absl/status/status.h"
#include "varve/codec/decompressed_bytes.h"

namespace varve {

// Adds what the LZ4 frame (specification 1.6) at the start of `stream`
// decompresses to. As in Kafka, the blocks must be independent of each other,
// there is no dictionary and no skippable frame, the frame has its end mark,
// and what stands behind that is not looked at. Checksums and a content size,
// which Kafka's Java clients do not write, may be there. All of them are
// checked; Java checks the header's and the blocks' alone.
//
// Errors: DataLoss for what is no such frame, is damaged or incomplete;
// ResourceExhausted when `plain` had too many.
absl::Status ReadLz4Frame(std::string_view stream, DecompressedBytes& plain);

}  // namespace varve

#endif  // VARVE_CODEC_LZ4_FRAME_READER_H_
