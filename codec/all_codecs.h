// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_CODEC_ALL_CODECS_H_
#define VARVE_CODEC_ALL_CODECS_H_

#include "varve/log/batch/codecs.h"

namespace varve {

// All four codecs of Kafka, with the default limit of what a batch may
// decompress to. It lives as long as the program. Who names it links all four
// libraries.
const Codecs* AllCodecs();

}  // namespace varve

#endif  // VARVE_CODEC_ALL_CODECS_H_
