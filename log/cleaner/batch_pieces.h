// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_CLEANER_BATCH_PIECES_H_
#define VARVE_LOG_CLEANER_BATCH_PIECES_H_

#include <cstdint>
#include <string_view>

namespace varve {

// Between two pieces of about this size a compaction can be stopped, and waits
// for its turn.
inline constexpr int64_t kPieceBytes = int64_t{1} << 20;

// The first whole batches of `bytes`, as many as have `size_bytes` or more
// together; all bytes when no more are left, or when what follows is no batch:
// whoever reads the piece finds out what is wrong. Only the sizes in the
// headers are looked at.
//
// Thread safety: a pure function.
std::string_view FirstBatches(std::string_view bytes, int64_t size_bytes);

}  // namespace varve

#endif  // VARVE_LOG_CLEANER_BATCH_PIECES_H_
