// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/checked_output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <ios>
#include <iostream>
#include <streambuf>
#include <utility>

#include "absl/status/status.h"
#include "varve/tools/shell/exit_status.h"

namespace varve {

CheckedOutput::CheckedOutput()
    : buffer_(STDOUT_FILENO), replaced_(std::cout.rdbuf(this)) {}

CheckedOutput::~CheckedOutput() { std::cout.rdbuf(replaced_); }

// Remembers an error. Returns whether there is none so far.
bool CheckedOutput::Note(absl::Status status) {
  status_.Update(std::move(status));
  return status_.ok();
}

CheckedOutput::int_type CheckedOutput::overflow(int_type character) {
  if (traits_type::eq_int_type(character, traits_type::eof()))
    return traits_type::not_eof(character);
  const char byte = traits_type::to_char_type(character);
  return xsputn(&byte, 1) == 1 ? character : traits_type::eof();
}

std::streamsize CheckedOutput::xsputn(const char* bytes, std::streamsize size) {
  if (!status_.ok()) return 0;
  buffer_.text().append(bytes, static_cast<size_t>(size));
  return Note(buffer_.FlushIfLarge()) ? size : 0;
}

int CheckedOutput::sync() {
  return status_.ok() && Note(buffer_.Flush()) ? 0 : -1;
}

int CheckedOutput::Finish(int exit_status) {
  sync();
  if (status_.ok() || absl::IsCancelled(status_)) return exit_status;
  PrintError(ErrorText(status_));
  return exit_status == kExitSuccess ? kExitFailure : exit_status;
}

void HoldStandardDescriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free number, which is this one.
    (void)open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

}  // namespace varve
