// SPDX-License-Identifier: Apache-2.0

// What compressing and decompressing takes from the heap once a thread has done
// it before: nothing. The libraries allocate with malloc(3), so that is
// counted.

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/log/check.h"
#include "gtest/gtest.h"
#include "tests/codec/codec_bytes.h"
#include "varve/codec/all_codecs.h"
#include "varve/log/batch/byte_buffer.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/record_batch.h"

// The C library's own, behind the ones below.
extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* memory, size_t size);
}

namespace varve {
namespace {

constinit thread_local int64_t made = 0;

}  // namespace
}  // namespace varve

extern "C" void* malloc(size_t size) {
  ++varve::made;
  return __libc_malloc(size);
}
extern "C" void* calloc(size_t count, size_t size) {
  ++varve::made;
  return __libc_calloc(count, size);
}
extern "C" void* realloc(void* memory, size_t size) {
  ++varve::made;
  return __libc_realloc(memory, size);
}

namespace varve {
namespace {

class CodecAllocationsTest : public testing::TestWithParam<Compression> {
 protected:
  // Compresses and decompresses; returns the allocations of either.
  void Use(const std::string& plain, int64_t& compressing,
           int64_t& decompressing) {
    const Codec& codec = *AllCodecs()->Find(GetParam());
    stream_.Truncate(0);
    plain_.Truncate(0);
    const int64_t start = made;
    CHECK_OK(codec.Compress(plain, Codec::kDefaultLevel, stream_));
    const int64_t compressed = made;
    CHECK_OK(codec.Decompress(stream_.view(), 2 << 20, plain_));
    compressing = compressed - start;
    decompressing = made - compressed;
    CHECK(plain_.view() == plain);
  }

  ByteBuffer stream_;
  ByteBuffer plain_;
};

TEST_P(CodecAllocationsTest, TheSteadyStateAllocatesNothing) {
  int64_t compressing = 0;
  int64_t decompressing = 0;
  for (const size_t size : {1 << 20, 16'384, 100, 0}) {
    const std::string plain = CompressibleBytes(size);
    Use(plain, compressing, decompressing);
    if (size == 1 << 20) {
      EXPECT_GT(compressing + decompressing, 0);  // It does count.
    }
    Use(plain, compressing, decompressing);
    EXPECT_EQ(decompressing, 0) << size;
    // snappy has its tables from the heap, once for each chunk of 32 KiB.
    const int64_t chunks =
        GetParam() == Compression::kSnappy ? (size + 32'767) / 32'768 : 0;
    EXPECT_EQ(compressing, chunks) << size;
  }
}

INSTANTIATE_TEST_SUITE_P(, CodecAllocationsTest,
                         testing::Values(Compression::kGzip,
                                         Compression::kSnappy,
                                         Compression::kLz4, Compression::kZstd),
                         [](const testing::TestParamInfo<Compression>& info) {
                           return std::string(CompressionName(info.param));
                         });

}  // namespace
}  // namespace varve
