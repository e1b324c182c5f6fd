// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_SHELL_CHECKED_OUTPUT_H_
#define VARVE_TOOLS_SHELL_CHECKED_OUTPUT_H_

#include <ios>
#include <iostream>
#include <streambuf>

#include "absl/status/status.h"
#include "varve/tools/shell/output_buffer.h"

namespace varve {

// The buffer of std::cout for as long as it lives, which remembers every failed
// write: a program makes one first, and ends with the exit status that `Finish`
// returns.
//
// Thread safety: externally synchronized, as std::cout is.
class CheckedOutput : public std::streambuf {
 public:
  CheckedOutput();
  ~CheckedOutput() override;

  CheckedOutput(const CheckedOutput&) = delete;
  CheckedOutput& operator=(const CheckedOutput&) = delete;

  // Writes what is left. Returns the exit status of a program that would end
  // with `exit_status`: kExitFailure instead of success, with a message on
  // stderr, when something was not written. A closed pipe, whose reader has
  // seen enough, changes nothing.
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

// Opens /dev/null in the place of closed standard descriptors, with the
// opposite access mode: a file that is opened later does not get their numbers,
// and reading and writing fail as if they were closed.
void HoldStandardDescriptors();

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_CHECKED_OUTPUT_H_
