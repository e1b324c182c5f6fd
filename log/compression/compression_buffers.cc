// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compression/compression_buffers.h"

#include <utility>

#include "varve/log/batch/byte_buffer.h"

namespace varve {
namespace {

// Whether what the thread keeps is gone: its last statics are being destroyed,
// and one of them may be a program that still appends.
thread_local bool thread_has_ended = false;

struct KeptBuffers {
  KeptBuffers() = default;
  KeptBuffers(const KeptBuffers&) = delete;
  KeptBuffers& operator=(const KeptBuffers&) = delete;
  ~KeptBuffers() { thread_has_ended = true; }

  ByteBuffer plain;
  ByteBuffer stored;
};
thread_local KeptBuffers kept;

// Leaves the larger of the two in `to`, empty, if it may be kept.
void Keep(ByteBuffer& from, ByteBuffer& to) {
  if (from.capacity() > CompressionBuffers::kKeptMax) return;
  from.Truncate(0);
  if (from.capacity() > to.capacity()) std::swap(from, to);
}

}  // namespace

CompressionBuffers::CompressionBuffers() {
  if (thread_has_ended) return;
  std::swap(plain_, kept.plain);
  std::swap(stored_, kept.stored);
}

CompressionBuffers::~CompressionBuffers() {
  if (thread_has_ended) return;
  Keep(plain_, kept.plain);
  Keep(stored_, kept.stored);
}

}  // namespace varve
