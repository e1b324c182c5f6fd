// SPDX-License-Identifier: Apache-2.0

#include <cstddef>
#include <cstdint>

#include "tests/fuzz/codec_fuzz.h"
#include "varve/codec/gzip_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  varve::FuzzCodec(*varve::GzipCodec(), data, size);
  return 0;
}
