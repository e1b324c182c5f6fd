// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_CODEC_GZIP_CODEC_H_
#define VARVE_CODEC_GZIP_CODEC_H_

#include "varve/log/batch/codec.h"

namespace varve {

// Kafka's codec `gzip`: RFC 1952, by zlib.
//
// It writes one member with the header that Kafka's Java clients write: no
// name, no time. It reads any number of members behind each other, and ignores
// bytes behind the last one that begin no other, as Java does. Levels: 1 to 9;
// -1 and kDefaultLevel, Kafka's default, are zlib's 6.
//
// It lives as long as the program. A thread that used it keeps about 270 KiB to
// compress, and 40 KiB to decompress, until it ends.
const Codec* GzipCodec();

}  // namespace varve

#endif  // VARVE_CODEC_GZIP_CODEC_H_
