// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METERS_ERROR_METER_H_
#define VARVE_LOG_METERS_ERROR_METER_H_

#include <array>
#include <cstddef>

#include "absl/status/status.h"
#include "varve/log/meters/counter.h"
#include "varve/log/meters/error_counts.h"

namespace varve {

static_assert(static_cast<size_t>(absl::StatusCode::kUnauthenticated) + 1 ==
              kStatusCodes);

// Counts the failures of one kind of call by the code of the status.
//
// Thread safety: thread-safe.
class ErrorMeter {
 public:
  // Counts a failure; OK is not counted.
  void Add(const absl::Status& status) {
    if (status.ok()) return;
    const auto code = static_cast<size_t>(status.code());
    constexpr auto kOther = static_cast<size_t>(absl::StatusCode::kUnknown);
    counts_[code < kStatusCodes ? code : kOther].Add();
  }

  // The counts by code, from 0 (kOk, always 0) up.
  ErrorCounts Snapshot() const {
    ErrorCounts counts;
    for (size_t i = 0; i < kStatusCodes; ++i) counts[i] = counts_[i].value();
    return counts;
  }

 private:
  std::array<Counter, kStatusCodes> counts_;
};

}  // namespace varve

#endif  // VARVE_LOG_METERS_ERROR_METER_H_
