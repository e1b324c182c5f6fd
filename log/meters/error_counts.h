// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METERS_ERROR_COUNTS_H_
#define VARVE_LOG_METERS_ERROR_COUNTS_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace varve {

// The number of codes that an absl::Status can have, OK included.
inline constexpr size_t kStatusCodes = 17;

// The failures of one kind of call, by the code of the status; that of kOk, 0,
// is always 0.
using ErrorCounts = std::array<int64_t, kStatusCodes>;

}  // namespace varve

#endif  // VARVE_LOG_METERS_ERROR_COUNTS_H_
