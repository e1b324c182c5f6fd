// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_SHELL_OUTPUT_BUFFER_H_
#define VARVE_TOOLS_SHELL_OUTPUT_BUFFER_H_

#include <string>

#include "absl/status/status.h"

namespace varve {

// Writes to a file descriptor in large blocks. Text that is left in it when it
// is destroyed is not written: call Flush.
//
// Thread safety: externally synchronized.
class OutputBuffer {
 public:
  explicit OutputBuffer(int descriptor) : descriptor_(descriptor) {}

  // Append to this, then call FlushIfLarge.
  std::string& text() { return text_; }

  // Errors: Cancelled when the output has no reader any more (a closed pipe):
  // end quietly. Those of write(2).
  absl::Status FlushIfLarge();
  absl::Status Flush();

 private:
  const int descriptor_;
  std::string text_;
};

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_OUTPUT_BUFFER_H_
