// SPDX-License-Identifier: Apache-2.0

#include "varve/codec/snappy_framing.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "varve/codec/stream_error.h"
#include "varve/index/big_endian.h"
#include "varve/log/batch/byte_buffer.h"

namespace varve {
namespace {

// What a reader compares, and the two versions behind it.
constexpr std::string_view kMagic("\x82SNAPPY\0", 8);
constexpr std::string_view kVersions("\0\0\0\1\0\0\0\1", 8);
static_assert(kMagic.size() + kVersions.size() == snappy_framing::kHeaderBytes);

}  // namespace

namespace snappy_framing {

bool HasHeader(std::string_view stream) {
  return stream.size() >= kHeaderBytes && stream.starts_with(kMagic);
}

void AppendHeader(ByteBuffer& out) {
  out.Append(kMagic);
  out.Append(kVersions);
}

}  // namespace snappy_framing

std::optional<SnappyChunks::Chunk> SnappyChunks::Next() {
  using namespace snappy_framing;  // its sizes
  while (HasHeader(stream_.substr(position_))) position_ += kHeaderBytes;
  const std::string_view rest = stream_.substr(position_);
  if (rest.empty() || !status_.ok()) return std::nullopt;
  if (rest.size() < kLengthBytes) {
    return Fail("ends in the length of a snappy chunk");
  }
  const int64_t length = LoadBig32(rest.data());
  if (rest.starts_with(kMagic.substr(0, kLengthBytes))) {
    return Fail(rest.size() < kHeaderBytes
                    ? "ends in the header of a snappy stream"
                    : "the header of a snappy stream is damaged");
  }
  if (length < 0 || static_cast<size_t>(length) > kChunkMax) {
    return Fail(absl::StrCat("a snappy chunk has a length of ", length));
  }
  const auto size = static_cast<size_t>(length);
  if (size > rest.size() - kLengthBytes) {
    return Fail(absl::StrCat("a snappy chunk has ", size, " bytes, and ",
                             rest.size() - kLengthBytes, " are left"));
  }
  const Chunk chunk = {rest.substr(kLengthBytes, size),
                       position_ + kLengthBytes};
  position_ += kLengthBytes + size;
  return chunk;
}

std::nullopt_t SnappyChunks::Fail(std::string_view why) {
  status_ = StreamError({position_, stream_.size()}, why);
  return std::nullopt;
}

}  // namespace varve
