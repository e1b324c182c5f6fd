// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_INPUT_LINE_READER_H_
#define VARVE_TOOLS_INPUT_LINE_READER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace varve {

// Reads lines from a file descriptor, in large blocks. A line ends with a line
// feed, which is not part of it; the last one may lack it. Every other byte is
// data, NUL and CR too.
//
// It can be asked to stop while it waits: it then hands out the lines that it
// has read, and reads no more.
//
// Thread safety: externally synchronized.
class LineReader {
 public:
  // `name` is what errors call the input. A line of more than `line_size_max`
  // bytes is an error, so that memory is bounded. The descriptor stays open. It
  // stops once `stop_descriptor` is readable; with -1 it never does.
  LineReader(int descriptor, std::string name, int64_t line_size_max,
             int stop_descriptor = -1);

  // The next line, valid until the next call. Nothing at the end, when it was
  // stopped, and when it fails: only then is `status()` not OK.
  std::optional<std::string_view> Next();

  // Errors: those of read(2); InvalidArgument for a line that is too long, with
  // its number.
  const absl::Status& status() const { return status_; }

  // Lines returned so far: the number of the last one, counted from 1.
  int64_t line_number() const { return line_number_; }
  // Bytes of input consumed, line feeds included.
  int64_t bytes_read() const { return bytes_read_; }

  // Bytes that were read and not returned: of a line whose end had not come
  // when it was stopped.
  int64_t unfinished_bytes() const {
    return static_cast<int64_t>(end_ - begin_);
  }

  // Whether the next call of Next may have to wait for input: the caller should
  // then pass on what was read before.
  bool NextMayWait() const;

 private:
  std::optional<std::string_view> Take(size_t line_size, size_t consumed);
  bool WaitForInput() const;
  bool Fill();

  const int descriptor_;
  const int stop_descriptor_;
  const std::string name_;
  const size_t line_size_max_;

  std::string buffer_;
  size_t begin_ = 0;     // of the next line, in the buffer
  size_t end_ = 0;       // of what was read into it
  size_t searched_ = 0;  // no line feed in the buffer before this place
  bool at_end_ = false;
  int64_t line_number_ = 0;
  int64_t bytes_read_ = 0;
  absl::Status status_;
};

}  // namespace varve

#endif  // VARVE_TOOLS_INPUT_LINE_READER_H_
