// SPDX-License-Identifier: Apache-2.0

#include "varve/log/metadata/lock_conflict.h"

#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/cord.h"

namespace varve {
namespace {

// Its text says it once more, because Status::ToString prints it.
constexpr std::string_view kPayload = "varve.lock_conflict";

}  // namespace

bool IsLockConflict(const absl::Status& status) {
  return status.GetPayload(kPayload).has_value();
}

absl::Status LockConflictError(std::string_view message) {
  absl::Status status = absl::FailedPreconditionError(message);
  status.SetPayload(kPayload, absl::Cord("locked"));
  return status;
}

}  // namespace varve
