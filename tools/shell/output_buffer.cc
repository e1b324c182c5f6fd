// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/output_buffer.h"

#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string_view>

#include "absl/status/status.h"
#include "varve/log/system/errno_status.h"

namespace varve {
namespace {

constexpr size_t kLarge = size_t{1} << 20;

}  // namespace

absl::Status OutputBuffer::FlushIfLarge() {
  return text_.size() < kLarge ? absl::OkStatus() : Flush();
}

absl::Status OutputBuffer::Flush() {
  std::string_view rest = text_;
  while (!rest.empty()) {
    const ssize_t written = write(descriptor_, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EPIPE) {
      return absl::CancelledError("the reader of the output is gone");
    } else if (errno != EINTR) {
      return ErrnoStatus(errno, "write", "the output");
    }
  }
  text_.clear();
  return absl::OkStatus();
}

}  // namespace varve
