// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_COMPRESSION_COMPRESSION_BUFFERS_H_
#define VARVE_LOG_COMPRESSION_COMPRESSION_BUFFERS_H_

#include <cstddef>

#include "varve/log/batch/byte_buffer.h"

namespace varve {

// The memory in which one append encodes a batch again. Each thread keeps that
// of its last append for the next one, so that in the steady state none is
// allocated. An append that is made while another of the same thread has it,
// as by a callback, takes memory of its own.
//
// Thread safety: belongs to the thread that made it.
class CompressionBuffers {
 public:
  // Bytes of each buffer that a thread keeps at most; a larger one is freed
  // with the append. Buffers grow by doubling, so this is for batches of up to
  // 1 MiB, which is Kafka's largest by default.
  static constexpr size_t kKeptMax = size_t{2} << 20;

  CompressionBuffers();
  ~CompressionBuffers();
  CompressionBuffers(const CompressionBuffers&) = delete;
  CompressionBuffers& operator=(const CompressionBuffers&) = delete;

  // A batch that is not compressed, and one as it is to be stored; both begin
  // empty.
  ByteBuffer& plain() { return plain_; }
  ByteBuffer& stored() { return stored_; }

 private:
  ByteBuffer plain_;
  ByteBuffer stored_;
};

}  // namespace varve

#endif  // VARVE_LOG_COMPRESSION_COMPRESSION_BUFFERS_H_
