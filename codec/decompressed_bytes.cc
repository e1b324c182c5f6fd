// SPDX-License-Identifier: Apache-2.0

#include "varve/codec/decompressed_bytes.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "varve/log/batch/byte_buffer.h"

namespace varve {

DecompressedBytes::DecompressedBytes(int64_t size_max, ByteBuffer& out)
    : size_max_(static_cast<size_t>(std::max<int64_t>(size_max, 0))),
      start_(out.size()),
      out_(out) {}

DecompressedBytes::~DecompressedBytes() {
  if (!kept_) out_.Truncate(start_);
}

size_t DecompressedBytes::left() const {
  const size_t size = out_.size() - start_;
  return size < size_max_ ? size_max_ - size : 0;
}

absl::Span<char> DecompressedBytes::Room(size_t wanted_bytes) {
  DCHECK_GE(wanted_bytes, 1u);
  const size_t most = left() + 1;
  char* const room = out_.Reserve(std::min(wanted_bytes, most));
  return {room, std::min(out_.capacity() - out_.size(), most)};
}

absl::Status DecompressedBytes::Add(size_t count) {
  const bool fits = count <= left();
  out_.Extend(count);
  return fits ? absl::OkStatus() : TooMany();
}

absl::Status DecompressedBytes::TooMany() const {
  return absl::ResourceExhaustedError(
      absl::StrCat("decompresses to more than ", size_max_,
                   " bytes, which is the limit that its reader has set"));
}

}  // namespace varve
