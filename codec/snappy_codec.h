// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_CODEC_SNAPPY_CODEC_H_
#define VARVE_CODEC_SNAPPY_CODEC_H_

#include "varve/log/batch/codec.h"

namespace varve {

// Kafka's codec `snappy`: raw snappy blocks in the framing of snappy-java
// (codec/snappy_framing.h).
//
// It writes chunks of 32 KiB, as Kafka's Java clients do, and ignores the
// level. It reads such streams, several behind each other, and a raw block
// without framing, as librdkafka writes it.
//
// It lives as long as the program, and keeps nothing.
const Codec* SnappyCodec();

}  // namespace varve

#endif  // VARVE_CODEC_SNAPPY_CODEC_H_
