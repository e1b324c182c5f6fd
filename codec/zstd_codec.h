// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_CODEC_ZSTD_CODEC_H_
#define VARVE_CODEC_ZSTD_CODEC_H_

#include "varve/log/batch/codec.h"

namespace varve {

// Kafka's codec `zstd`: RFC 8878 (codec/zstd_frame_reader.h says which frames
// it reads, codec/zstd_frame_writer.h which ones it writes).
//
// Levels: -131072 to 22, and kDefaultLevel, which is 3; so is 0.
//
// It lives as long as the program. A thread that used it keeps about 100 KiB to
// decompress, until it ends, and what its last level took to compress, if that
// is at most 16 MiB: 4 MiB at the default. Level 22 takes 830 MiB for each
// call.
const Codec* ZstdCodec();

}  // namespace varve

#endif  // VARVE_CODEC_ZSTD_CODEC_H_
