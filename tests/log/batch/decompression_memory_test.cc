// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/decompression_memory.h"

#include <cstddef>
#include <memory>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace varve {
namespace {

using Piece = DecompressionMemory::Piece;

TEST(DecompressionMemoryTest, PieceComesAgainEmptyWithItsMemory) {
  DecompressionMemory memory;
  std::unique_ptr<Piece> piece = memory.Take();
  piece->bytes.Append("records");
  piece->batches.push_back({});
  const Piece* const first = piece.get();
  const size_t capacity = piece->bytes.capacity();
  memory.GiveBack(std::move(piece));
  piece = memory.Take();
  EXPECT_EQ(piece.get(), first);
  EXPECT_EQ(piece->bytes.size(), 0u);
  EXPECT_EQ(piece->bytes.capacity(), capacity);
  EXPECT_TRUE(piece->batches.empty());
  EXPECT_NE(memory.Take().get(), first);
}

TEST(DecompressionMemoryTest, LargePieceIsFreed) {
  DecompressionMemory memory;
  std::unique_ptr<Piece> piece = memory.Take();
  piece->bytes.Reserve(DecompressionMemory::kPieceSizeMax);
  memory.GiveBack(std::move(piece));
  piece = memory.Take();
  EXPECT_EQ(piece->bytes.capacity(), DecompressionMemory::kPieceSizeMax);
  piece->bytes.Reserve(DecompressionMemory::kPieceSizeMax + 1);
  memory.GiveBack(std::move(piece));
  EXPECT_EQ(memory.Take()->bytes.capacity(), 0u);
}

TEST(DecompressionMemoryTest, MorePiecesThanItKeepsAreFreed) {
  DecompressionMemory memory;
  std::vector<std::unique_ptr<Piece>> taken;
  for (size_t i = 0; i <= DecompressionMemory::kPiecesMax; ++i) {
    taken.push_back(memory.Take());
    taken.back()->bytes.Append("x");
  }
  for (std::unique_ptr<Piece>& piece : taken) memory.GiveBack(std::move(piece));
  size_t kept = 0;
  for (std::unique_ptr<Piece>& piece : taken) {
    piece = memory.Take();
    if (piece->bytes.capacity() > 0) ++kept;
  }
  EXPECT_EQ(kept, DecompressionMemory::kPiecesMax);
}

// Whether two ever have the same one, TSan sees too.
TEST(DecompressionMemoryTest, ThreadsNeverShareAPiece) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 2000;
  DecompressionMemory memory;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&memory, i] {
      const char own = static_cast<char>('a' + i);
      for (int round = 0; round < kRounds; ++round) {
        std::unique_ptr<Piece> piece = memory.Take();
        ASSERT_EQ(piece->bytes.size(), 0u);
        piece->bytes.Append({&own, 1});
        std::this_thread::yield();
        ASSERT_EQ(piece->bytes.view(), std::string_view(&own, 1));
        memory.GiveBack(std::move(piece));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace varve
