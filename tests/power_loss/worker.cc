// SPDX-License-Identifier: Apache-2.0

#include "tests/power_loss/worker.h"

#include <cstdint>
#include <string_view>

#include "absl/log/log.h"
#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace varve {

bool Worker::Succeeded(const absl::Status& status, std::string_view what) {
  if (status.ok()) return true;
  Write({.kind = NoteKind::kFailure,
         .value = static_cast<int64_t>(status.code())});
  LOG(ERROR) << what << ": " << status;
  return false;
}

void Worker::Rest(int64_t most_us) {
  absl::SleepFor(absl::Microseconds(
      static_cast<int64_t>(Random() % static_cast<uint64_t>(most_us))));
}

}  // namespace varve
