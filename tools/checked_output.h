// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_CHECKED_OUTPUT_H_
#define VARVE_TOOLS_CHECKED_OUTPUT_H_

#include <ios>
#include <iostream>
#include <streambuf>

#include "absl/status/status.h"
#include "tools/output_buffer.h"

namespace varve {

// Stands behind std::cout for as long as it lives, so that no command can print
// without somebody knowing whether it arrived: a program makes one first, and
// ends with what `Finish` returns.
//
// Thread safety: externally synchronized, as std::cout is.
class CheckedOutput : public std::streambuf {
 public:
  CheckedOutput();
  ~CheckedOutput() override;

  CheckedOutput(const CheckedOutput&) = delete;
  CheckedOutput& operator=(const CheckedOutput&) = delete;

  // Writes what is left. Returns the exit status of a program that would end
  // with `exit_status`: kExitFailure instead of success, and a message on
  // stderr, when something was not written. When the reader of the output is
  // gone, he has seen enough: that changes nothing.
  int Finish(int exit_status);

 protected:
  int_type overflow(int_type character) override;
  std::streamsize xsputn(const char* bytes, std::streamsize size) override;
  int sync() override;

 private:
  bool Note(absl::Status status);

  OutputBuffer buffer_;
  absl::Status status_;  // the first error; nothing is written after it
  std::streambuf* const replaced_;
};

// Opens /dev/null in the place of standard descriptors that are closed, the
// wrong way round: a file that is opened later does not get their numbers, and
// reading and writing fail as if they were closed.
void HoldStandardDescriptors();

}  // namespace varve

#endif  // VARVE_TOOLS_CHECKED_OUTPUT_H_
