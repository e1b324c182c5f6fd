// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_CODEC_ZSTD_FRAME_READER_H_
#define VARVE_CODEC_ZSTD_FRAME_READER_H_

#include <string_view>

#include "absl/status/status.h"
#include "varve/codec/decompressed_bytes.h"

namespace varve {

// Adds what the zstd frames (RFC 8878) of `stream` decompress to. As in Kafka,
// there may be any number of them, none included; nothing else may stand
// between or behind them but skippable frames; a frame needs no dictionary, and
// asks its reader for a window of 128 MiB at most. Checksums and content sizes
// are checked.
//
// Errors: DataLoss for what is no such stream, is damaged or incomplete;
// ResourceExhausted when `plain` had too many.
absl::Status ReadZstdFrames(std::string_view stream, DecompressedBytes& plain);

}  // namespace varve

#endif  // VARVE_CODEC_ZSTD_FRAME_READER_H_
