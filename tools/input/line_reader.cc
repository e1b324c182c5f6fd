// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/input/line_reader.h"

#include <poll.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "varve/log/system/errno_status.h"

namespace varve {
namespace {

constexpr size_t kBlockSize = size_t{1} << 20;

}  // namespace

LineReader::LineReader(int descriptor, std::string name, int64_t line_size_max,
                       int stop_descriptor)
    : descriptor_(descriptor),
      stop_descriptor_(stop_descriptor),
      name_(std::move(name)),
      line_size_max_(static_cast<size_t>(line_size_max)) {
  buffer_.resize(kBlockSize);
}

std::optional<std::string_view> LineReader::Next() {
  while (status_.ok()) {
    const void* feed =
        std::memchr(buffer_.data() + searched_, '\n', end_ - searched_);
    if (feed != nullptr) {
      const size_t size = static_cast<size_t>(static_cast<const char*>(feed) -
                                              (buffer_.data() + begin_));
      return Take(size, size + 1);
    }
    searched_ = end_;
    if (at_end_) {
      if (begin_ == end_) return std::nullopt;
      return Take(end_ - begin_, end_ - begin_);
    }
    // The line is too long, whatever follows: Take makes that an error.
    if (end_ - begin_ > line_size_max_) return Take(end_ - begin_, 0);
    if (!Fill()) return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::string_view> LineReader::Take(size_t line_size,
                                                 size_t consumed) {
  if (line_size > line_size_max_) {
    status_ = absl::InvalidArgumentError(absl::StrCat(
        name_, ": line ", line_number_ + 1, ": longer than the ",
        line_size_max_,
        " bytes that a record of this topic may have; split it, or use a "
        "topic with a larger max.message.bytes"));
    return std::nullopt;
  }
  const std::string_view line(buffer_.data() + begin_, line_size);
  begin_ += consumed;
  searched_ = begin_;
  ++line_number_;
  bytes_read_ += static_cast<int64_t>(consumed);
  return line;
}

bool LineReader::NextMayWait() const {
  if (std::memchr(buffer_.data() + begin_, '\n', end_ - begin_) != nullptr ||
      at_end_) {
    return false;
  }
  pollfd input = {.fd = descriptor_, .events = POLLIN, .revents = 0};
  return poll(&input, 1, /*timeout=*/0) == 0;
}

// Waits until there is something to read, or an end or an error. Returns false
// when it was asked to stop.
bool LineReader::WaitForInput() const {
  pollfd waited[] = {
      {.fd = descriptor_, .events = POLLIN, .revents = 0},
      {.fd = stop_descriptor_, .events = POLLIN, .revents = 0},
  };
  while (poll(waited, std::size(waited), /*timeout=*/-1) < 0) {
    // The read returns any other error.
    if (errno != EINTR && errno != EAGAIN) return true;
  }
  return waited[1].revents == 0;
}

// Reads once, after the bytes that are in the buffer.
bool LineReader::Fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    searched_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) buffer_.resize(2 * buffer_.size());
  while (true) {
    if (!WaitForInput()) return false;
    const ssize_t got =
        read(descriptor_, buffer_.data() + end_, buffer_.size() - end_);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      status_ = ErrnoStatus(errno, "read", name_);
      return false;
    }
    at_end_ = got == 0;
    end_ += static_cast<size_t>(got);
    return true;
  }
}

}  // namespace varve
