// SPDX-License-Identifier: Apache-2.0

#include "varve/codec/zstd_frame_writer.h"

#include <cstddef>
#include <new>
#include <string_view>

#include "absl/log/check.h"
#include "varve/codec/thread_context.h"
#include "varve/log/batch/byte_buffer.h"
#include "zstd.h"
#include "zstd_errors.h"

namespace varve {
namespace {

// A thread keeps a context up to this size: those of the highest levels take
// hundreds of MiB.
constexpr size_t kKeptMax = size_t{16} << 20;

struct Compressor {
  Compressor() : zstd(ZSTD_createCCtx()) {
    if (zstd == nullptr) throw std::bad_alloc();
  }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  ~Compressor() { ZSTD_freeCCtx(zstd); }
  bool worth_keeping() const { return ZSTD_sizeof_CCtx(zstd) <= kKeptMax; }

  ZSTD_CCtx* zstd;
};

// Throws std::bad_alloc if memory is short, which is all that can go wrong.
size_t Checked(size_t result) {
  if (ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation) {
    throw std::bad_alloc();
  }
  CHECK(!ZSTD_isError(result)) << ZSTD_getErrorName(result);
  return result;
}

// Compresses all of `plain`, then does what `directive` says.
void Stream(ZSTD_CCtx* zstd, std::string_view plain,
            ZSTD_EndDirective directive, ByteBuffer& out) {
  ZSTD_inBuffer from = {plain.data(), plain.size(), 0};
  for (;;) {
    char* const room = out.Reserve(ZSTD_CStreamOutSize());
    ZSTD_outBuffer to = {room, out.capacity() - out.size(), 0};
    const size_t rest =
        Checked(ZSTD_compressStream2(zstd, &to, &from, directive));
    out.Extend(to.pos);
    const bool done =
        directive == ZSTD_e_continue ? from.pos == from.size : rest == 0;
    if (done) return;
  }
}

}  // namespace

void AppendZstdFrame(std::string_view plain, int level, ByteBuffer& out) {
  ThreadContext<Compressor> compressor;
  ZSTD_CCtx* const zstd = compressor->zstd;
  Checked(ZSTD_CCtx_reset(zstd, ZSTD_reset_session_and_parameters));
  Checked(ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, level));
  // Without this step, libzstd would know the size at once, and write it. Java
  // flushes before it closes.
  if (!plain.empty()) {
    Stream(zstd, plain, ZSTD_e_continue, out);
    Stream(zstd, {}, ZSTD_e_flush, out);
  }
  Stream(zstd, {}, ZSTD_e_end, out);
}

}  // namespace varve
