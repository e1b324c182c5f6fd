// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_RECORD_PRINTER_H_
#define VARVE_TOOLS_RECORD_PRINTER_H_

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "log/record_view.h"
#include "tools/output_buffer.h"
#include "tools/record_format.h"

namespace varve {

// Prints records to a file descriptor, up to a number of them.
//
// Thread safety: externally synchronized.
class RecordPrinter {
 public:
  // In `format`, or without one as JSON, an object a line. `count_max` records
  // at most.
  RecordPrinter(int descriptor, std::optional<RecordFormat> format,
                int64_t count_max)
      : output_(descriptor), format_(std::move(format)), left_(count_max) {}

  // Errors: Cancelled when nobody reads the output any more: end quietly. Those
  // of write(2).
  // Precondition: `left()` is above 0.
  absl::Status Print(const RecordOrigin& origin, const RecordView& record);

  // Writes out what was printed. Errors: as above.
  absl::Status Flush() { return output_.Flush(); }

  // How many more it will print.
  int64_t left() const { return left_; }

 private:
  OutputBuffer output_;
  const std::optional<RecordFormat> format_;
  int64_t left_;
};

}  // namespace varve

#endif  // VARVE_TOOLS_RECORD_PRINTER_H_
