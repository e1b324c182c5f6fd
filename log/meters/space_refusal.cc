// SPDX-License-Identifier: Apache-2.0

#include "varve/log/meters/space_refusal.h"

#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/cord.h"

namespace varve {
namespace {

constexpr std::string_view kPayload = "varve.space_refusal";

}  // namespace

absl::Status SpaceRefusalError(std::string_view message) {
  absl::Status status = absl::ResourceExhaustedError(message);
  status.SetPayload(kPayload, absl::Cord());
  return status;
}

bool IsSpaceRefusal(const absl::Status& status) {
  return status.GetPayload(kPayload).has_value();
}

}  // namespace varve
