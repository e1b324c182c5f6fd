// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_CODEC_LZ4_CODEC_H_
#define VARVE_CODEC_LZ4_CODEC_H_

#include "varve/log/batch/codec.h"

namespace varve {

// Kafka's codec `lz4`: one LZ4 frame (codec/lz4_frame_reader.h says which ones
// it reads, codec/lz4_frame_writer.h which ones it writes).
//
// Levels: 1 to 17. 9 is Kafka's default, and so is kDefaultLevel; it selects
// the fast compressor. Every other one selects the high compression of that
// level, of which LZ4 has 12: those above are the same.
//
// It lives as long as the program. A thread that used it keeps about 130 KiB to
// decompress (up to 8 MiB, if it has met frames of larger blocks than Kafka
// writes), and 260 KiB to compress with high compression, until it ends.
const Codec* Lz4Codec();

}  // namespace varve

#endif  // VARVE_CODEC_LZ4_CODEC_H_
