// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BATCH_DECOMPRESSION_MEMORY_H_
#define VARVE_LOG_BATCH_DECOMPRESSION_MEMORY_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "varve/log/batch/byte_buffer.h"

namespace varve {

// A compressed batch of a view, and where its records are, decompressed.
struct DecompressedBatch {
  const char* batch = nullptr;  // its first byte
  // Positions in the buffer of the view.
  size_t begin = 0;
  size_t end = 0;
};

// The memory of views of compressed batches (DecompressedRecords) that are
// gone, for those to come: a scan in its steady state gets no new pages. The
// readers of one store share one, and so do its views, which may outlive them.
//
// It keeps 8 pieces, each of 4 MiB at most; what is larger, or more, is freed.
//
// Thread safety: thread-safe and wait-free, but for the allocator.
class DecompressionMemory {
 public:
  static constexpr size_t kPiecesMax = 8;
  static constexpr size_t kPieceSizeMax = size_t{4} << 20;

  // What one view needs.
  struct Piece {
    ByteBuffer bytes;
    std::vector<DecompressedBatch> batches;

    size_t capacity() const {
      return bytes.capacity() + batches.capacity() * sizeof(DecompressedBatch);
    }
  };

  DecompressionMemory() = default;
  ~DecompressionMemory();

  DecompressionMemory(const DecompressionMemory&) = delete;
  DecompressionMemory& operator=(const DecompressionMemory&) = delete;

  // An empty piece: one that was given back, or else a new one.
  std::unique_ptr<Piece> Take();

  // Keeps a piece that no view uses any more, if there is room for it.
  void GiveBack(std::unique_ptr<Piece> piece);

 private:
  // Owned; null where there is none. Memory ordering: stored with release and
  // taken with acquire, so that who takes a piece sees what its last user did.
  std::array<std::atomic<Piece*>, kPiecesMax> pieces_ = {};
};

}  // namespace varve

#endif  // VARVE_LOG_BATCH_DECOMPRESSION_MEMORY_H_
