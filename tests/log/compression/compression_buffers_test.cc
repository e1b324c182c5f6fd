// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compression/compression_buffers.h"

#include <cstddef>
#include <optional>
#include <thread>

#include "gtest/gtest.h"

namespace varve {
namespace {

// Runs it in a thread of its own, which begins with nothing kept.
template <typename Test>
void InAThread(Test test) {
  std::thread(test).join();
}

// Uses the thread's buffers once, for batches of these sizes.
struct Sizes {
  size_t plain = 0;
  size_t stored = 0;
};
void Use(const Sizes& sizes) {
  CompressionBuffers buffers;
  buffers.plain().Reserve(sizes.plain);
  buffers.stored().Reserve(sizes.stored);
}
Sizes Kept() {
  CompressionBuffers buffers;
  return {buffers.plain().capacity(), buffers.stored().capacity()};
}

TEST(CompressionBuffersTest, NextAppendOfTheThreadGetsTheSameMemory) {
  InAThread([] {
    const char* plain = nullptr;
    const char* stored = nullptr;
    for (int round = 0; round < 3; ++round) {
      CompressionBuffers buffers;
      char* const at_plain = buffers.plain().Reserve(1000);
      char* const at_stored = buffers.stored().Reserve(2000);
      if (round > 0) {
        EXPECT_EQ(at_plain, plain);
        EXPECT_EQ(at_stored, stored);
      }
      plain = at_plain;
      stored = at_stored;
      EXPECT_EQ(buffers.plain().size() + buffers.stored().size(), 0);
      buffers.plain().Extend(1000);
      buffers.stored().Extend(2000);
    }
  });
}

TEST(CompressionBuffersTest, MemoryAboveTheLimitIsFreedWithTheAppend) {
  InAThread([] {
    constexpr size_t kMax = CompressionBuffers::kKeptMax;
    Use({.plain = kMax, .stored = kMax + 1});
    EXPECT_EQ(Kept().plain, kMax);
    EXPECT_EQ(Kept().stored, 0);
    Use({.plain = 10 * kMax, .stored = 100});
    EXPECT_EQ(Kept().plain, 0);
    EXPECT_EQ(Kept().stored, 100);
  });
}

TEST(CompressionBuffersTest, AppendWithinAnAppendHasMemoryOfItsOwn) {
  InAThread([] {
    Use({.plain = 100, .stored = 100});
    std::optional<CompressionBuffers> outer(std::in_place);
    const char* const place = outer->plain().data();
    {
      CompressionBuffers inner;
      EXPECT_EQ(inner.plain().capacity(), 0);
      inner.plain().Reserve(500);
    }
    EXPECT_EQ(outer->plain().data(), place);
    outer.reset();
    EXPECT_EQ(Kept().plain, 500) << "the larger one is kept";
    EXPECT_EQ(Kept().stored, 100);
  });
}

TEST(CompressionBuffersTest, ThreadsShareNothing) {
  InAThread([] {
    Use({.plain = 100, .stored = 100});
    InAThread([] { EXPECT_EQ(Kept().plain, 0); });
    EXPECT_EQ(Kept().plain, 100);
  });
}

}  // namespace
}  // namespace varve
