// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_CODEC_ZSTD_FRAME_WRITER_H_
#define VARVE_CODEC_ZSTD_FRAME_WRITER_H_

#include <string_view>

#include "varve/log/batch/byte_buffer.h"

namespace varve {

// Appends `plain` as one zstd frame, as Kafka's Java clients write it: as a
// stream whose size is not known before its end, without checksum and
// dictionary.
//
// Precondition: `level` is a level of libzstd, -131072 to 22.
void AppendZstdFrame(std::string_view plain, int level, ByteBuffer& out);

}  // namespace varve

#endif  // VARVE_CODEC_ZSTD_FRAME_WRITER_H_
