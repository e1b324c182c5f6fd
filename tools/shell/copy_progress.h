// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_SHELL_COPY_PROGRESS_H_
#define VARVE_TOOLS_SHELL_COPY_PROGRESS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "varve/tools/shell/progress_meter.h"

namespace varve {

// How much of it is copied.
struct CopiedBytes {
  int64_t done = 0;
  int64_t total = 0;
};

// "orders: 1.2 GB of about 4.0 GB, 310 MB/s". A store that is being written has
// more in the end than at first.
std::string CopyProgressText(std::string_view what, const CopiedBytes& bytes,
                             absl::Duration time);

// The line of a ProgressMeter for a job that copies files, which begins now.
// `what` is copied: a topic, or all.
//
// Thread safety: externally synchronized.
class CopyProgress {
 public:
  CopyProgress();

  // Cheap, as often as the job likes.
  void Show(std::string_view what, const CopiedBytes& bytes);

  // Erases the line, which the destructor does as well.
  void Clear() { meter_.Clear(); }

 private:
  ProgressMeter meter_;
  const absl::Time begin_;
};

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_COPY_PROGRESS_H_
