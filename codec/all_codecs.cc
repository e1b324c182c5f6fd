// SPDX-License-Identifier: Apache-2.0

#include "varve/codec/all_codecs.h"

#include <initializer_list>

#include "absl/base/no_destructor.h"
#include "varve/codec/gzip_codec.h"
#include "varve/codec/lz4_codec.h"
#include "varve/codec/snappy_codec.h"
#include "varve/codec/zstd_codec.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/codecs.h"

namespace varve {

const Codecs* AllCodecs() {
  static const absl::NoDestructor<Codecs> codecs(
      std::initializer_list<const Codec*>{GzipCodec(), SnappyCodec(),
                                          Lz4Codec(), ZstdCodec()});
  return codecs.get();
}

}  // namespace varve
