// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_CODEC_LZ4_FRAME_WRITER_H_
#define VARVE_CODEC_LZ4_FRAME_WRITER_H_

#include <string_view>

#include "varve/log/batch/byte_buffer.h"

namespace varve {

// The level that stands for LZ4's fast compressor: Kafka's default. The others,
// 1 to 17, are levels of its high compression.
inline constexpr int kLz4FastLevel = 9;

// Appends `plain` as one LZ4 frame, as Kafka's Java clients write it:
// independent blocks of 64 KiB, no checksum, no content size. A block that does
// not shrink is stored.
//
// Precondition: `level` is 1 to 17; `plain` is no longer than kPlainSizeMax.
void AppendLz4Frame(std::string_view plain, int level, ByteBuffer& out);

}  // namespace varve

#endif  // VARVE_CODEC_LZ4_FRAME_WRITER_H_
