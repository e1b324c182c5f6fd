// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_SHELL_PROGRESS_METER_H_
#define VARVE_TOOLS_SHELL_PROGRESS_METER_H_

#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace varve {

// One line on stderr that says how far a long job is, replaced in place. Only
// on a terminal: in a pipe it is silent. The line is erased when the meter is
// cleared or destroyed.
//
// Thread safety: externally synchronized.
class ProgressMeter {
 public:
  ProgressMeter();
  ~ProgressMeter() { Clear(); }
  ProgressMeter(const ProgressMeter&) = delete;
  ProgressMeter& operator=(const ProgressMeter&) = delete;

  // Whether a line is due: call it before composing one. A line is never due in
  // a pipe, and a few times a second on a terminal, once the job has taken a
  // while.
  bool IsDue();
  void Show(std::string_view line);

  void Clear();

 private:
  const bool on_terminal_;
  absl::Time next_;
  bool shown_ = false;
};

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_PROGRESS_METER_H_
