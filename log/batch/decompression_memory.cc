// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/decompression_memory.h"

#include <atomic>
#include <memory>

namespace varve {

DecompressionMemory::~DecompressionMemory() {
  for (std::atomic<Piece*>& kept : pieces_) {
    const std::unique_ptr<Piece> piece(kept.load(std::memory_order_acquire));
  }
}

std::unique_ptr<DecompressionMemory::Piece> DecompressionMemory::Take() {
  for (std::atomic<Piece*>& kept : pieces_) {
    if (kept.load(std::memory_order_relaxed) == nullptr) continue;
    Piece* const piece = kept.exchange(nullptr, std::memory_order_acquire);
    if (piece != nullptr) return std::unique_ptr<Piece>(piece);
  }
  return std::make_unique<Piece>();
}

void DecompressionMemory::GiveBack(std::unique_ptr<Piece> piece) {
  if (piece->capacity() > kPieceSizeMax) return;
  piece->bytes.Truncate(0);
  piece->batches.clear();
  for (std::atomic<Piece*>& kept : pieces_) {
    Piece* none = kept.load(std::memory_order_relaxed);
    if (none == nullptr && kept.compare_exchange_strong(
                               none, piece.get(), std::memory_order_release,
                               std::memory_order_relaxed)) {
      static_cast<void>(piece.release());  // it is in `kept` now
      return;
    }
  }
}

}  // namespace varve
