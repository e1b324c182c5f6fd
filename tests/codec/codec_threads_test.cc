// SPDX-License-Identifier: Apache-2.0

// The codecs are shared by threads; each thread keeps contexts of its own.

#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/codec/codec_bytes.h"
#include "tests/fixture/sanitizer.h"
#include "varve/codec/all_codecs.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/batch/record_batch.h"

namespace varve {
namespace {

using absl_testing::IsOkAndHolds;
using absl_testing::StatusIs;

constexpr Compression kAll[] = {Compression::kGzip, Compression::kSnappy,
                                Compression::kLz4, Compression::kZstd};

const Codec& CodecOf(Compression compression) {
  return *AllCodecs()->Find(compression);
}

// Sizes, levels and outcomes change from call to call.
void UseAll(size_t first) {
  for (size_t i = first; i < first + 20; ++i) {
    const std::string plain = CompressibleBytes(i * 7'919 % 150'000);
    const int level = i % 2 == 0 ? Codec::kDefaultLevel : 1;
    for (const Compression compression : kAll) {
      const Codec& codec = CodecOf(compression);
      const std::string stream = Compressed(codec, plain, level);
      ASSERT_THAT(Decompressed(codec, stream), IsOkAndHolds(plain));
      ASSERT_THAT(Decompressed(codec, stream.substr(0, stream.size() - 1)),
                  StatusIs(absl::StatusCode::kDataLoss));
    }
  }
}

TEST(CodecThreadsTest, ThreadsCompressAndDecompressAtOnce) {
  std::vector<std::thread> threads;
  for (size_t i = 0; i < 4; ++i) threads.emplace_back(UseAll, 1 + 5 * i);
  for (std::thread& thread : threads) thread.join();
}

TEST(CodecThreadsTest, AThreadThatEndsTakesItsContextsWithIt) {
  for (int i = 0; i < 10; ++i) {
    std::thread([] {
      for (const Compression compression : kAll) {
        const std::string stream = Compressed(CodecOf(compression), kGreeting);
        ASSERT_THAT(Decompressed(CodecOf(compression), stream),
                    IsOkAndHolds(kGreeting));
      }
    }).join();
  }
}

TEST(CodecThreadsTest, AForkedChildUsesTheContextsThatItsParentHad) {
  if (kSanitizer == Sanitizer::kThread) {
    GTEST_SKIP() << "a forked child is not looked at";
  }
  UseAll(1);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    UseAll(2);
    _exit(testing::Test::HasFailure() ? 1 : 0);
  }
  UseAll(3);
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

}  // namespace
}  // namespace varve
