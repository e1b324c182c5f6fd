// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/progress_meter.h"

#include <unistd.h>

#include <iostream>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace varve {
namespace {

constexpr absl::Duration kFirst = absl::Milliseconds(500);
constexpr absl::Duration kInterval = absl::Milliseconds(150);

// Moves to the start of the line, and erases it.
constexpr std::string_view kEraseLine = "\r\033[K";

}  // namespace

ProgressMeter::ProgressMeter()
    : on_terminal_(isatty(STDERR_FILENO) == 1), next_(absl::Now() + kFirst) {}

bool ProgressMeter::IsDue() { return on_terminal_ && absl::Now() >= next_; }

void ProgressMeter::Show(std::string_view line) {
  if (!on_terminal_) return;
  std::cerr << absl::StrCat(kEraseLine, line) << std::flush;
  shown_ = true;
  next_ = absl::Now() + kInterval;
}

void ProgressMeter::Clear() {
  if (shown_) std::cerr << kEraseLine << std::flush;
  shown_ = false;
}

}  // namespace varve
