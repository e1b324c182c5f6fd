// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_SHELL_RECORD_PRINTER_H_
#define VARVE_TOOLS_SHELL_RECORD_PRINTER_H_

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "varve/log/batch/record_view.h"
#include "varve/tools/shell/output_buffer.h"
#include "varve/tools/shell/record_format.h"

namespace varve {

// Prints records to a file descriptor, up to a number of them.
//
// Thread safety: externally synchronized.
class RecordPrinter {
 public:
  // Prints in `format`, or without one as JSON, an object a line; `count_max`
  // records at most.
  RecordPrinter(int descriptor, std::optional<RecordFormat> format,
                int64_t count_max)
      : output_(descriptor), format_(std::move(format)), left_(count_max) {}

  // Errors: Cancelled when the output has no reader any more: end quietly.
  // Those of write(2).
  // Precondition: `left()` is above 0.
  absl::Status Print(const RecordOrigin& origin, const RecordView& record);

  // Writes the printed records. Errors: those of Print.
  absl::Status Flush() { return output_.Flush(); }

  // How many more it will print.
  int64_t left() const { return left_; }

 private:
  OutputBuffer output_;
  const std::optional<RecordFormat> format_;
  int64_t left_;
};

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_RECORD_PRINTER_H_
