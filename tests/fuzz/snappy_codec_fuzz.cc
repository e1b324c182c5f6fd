// SPDX-License-Identifier: Apache-2.0

#include <cstddef>
#include <cstdint>

#include "tests/fuzz/codec_fuzz.h"
#include "varve/codec/snappy_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  varve::FuzzCodec(*varve::SnappyCodec(), data, size);
  return 0;
}
