// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_ERROR_METER_H_
#define VARVE_LOG_ERROR_METER_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "log/counter.h"

namespace varve {

// Counts what a kind of call failed with, by the status's code.
//
// Thread safety: thread-safe.
class ErrorMeter {
 public:
  // The codes that a status of Abseil's can have, OK among them.
  static constexpr size_t kCodes = 17;

  // Counts a failure; OK is not counted.
  void Add(const absl::Status& status) {
    if (status.ok()) return;
    const auto code = static_cast<size_t>(status.code());
    counts_[code < kCodes ? code : size_t{2}].Add();  // 2 is kUnknown
  }

  // By code, from 0 (kOk, always 0) up.
  std::array<int64_t, kCodes> Snapshot() const {
    std::array<int64_t, kCodes> counts;
    for (size_t i = 0; i < kCodes; ++i) counts[i] = counts_[i].value();
    return counts;
  }

 private:
  std::array<Counter, kCodes> counts_;
};

}  // namespace varve

#endif  // VARVE_LOG_ERROR_METER_H_
