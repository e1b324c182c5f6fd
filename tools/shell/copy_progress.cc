// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/copy_progress.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "varve/tools/shell/human_units.h"

namespace varve {

std::string CopyProgressText(std::string_view what, const CopiedBytes& bytes,
                             absl::Duration time) {
  // No job is so fast that less would say anything.
  const double seconds =
      absl::ToDoubleSeconds(std::max(time, absl::Milliseconds(1)));
  const double rate = static_cast<double>(bytes.done) / seconds;
  return absl::StrCat(what, ": ", HumanBytes(bytes.done), " of about ",
                      HumanBytes(bytes.total), ", ",
                      HumanBytes(static_cast<int64_t>(rate)), "/s");
}

CopyProgress::CopyProgress() : begin_(absl::Now()) {}

void CopyProgress::Show(std::string_view what, const CopiedBytes& bytes) {
  if (!meter_.IsDue()) return;
  meter_.Show(CopyProgressText(what, bytes, absl::Now() - begin_));
}

}  // namespace varve
