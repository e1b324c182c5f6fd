// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METERS_SPACE_REFUSAL_H_
#define VARVE_LOG_METERS_SPACE_REFUSAL_H_

#include <string_view>

#include "absl/status/status.h"

namespace varve {

// The error of an append that the store itself refuses, since the disk is at
// StoreOptions::free_space_floor_bytes: ResourceExhausted, as of a disk that is
// full, with a mark by which it is told from that.
absl::Status SpaceRefusalError(std::string_view message);

// Whether a status has that mark.
bool IsSpaceRefusal(const absl::Status& status);

}  // namespace varve

#endif  // VARVE_LOG_METERS_SPACE_REFUSAL_H_
