// SPDX-License-Identifier: Apache-2.0

#include "varve/log/partition/partition_state.h"

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "varve/log/system/errno_status.h"

namespace varve {

bool PartitionState::Poison(const absl::Status& status) {
  log_mu_->AssertHeld();
  CHECK(!status.ok()) << path_;
  if (!failure_.ok() || phase() == Phase::kDeleted) return false;
  CHECK(phase() != Phase::kPoisoned) << path_;
  failure_ = AsPoison(status);
  SetPhase(is_open() ? Phase::kPoisoned : Phase::kClosed);
  return true;
}

void PartitionState::BeginClose() {
  log_mu_->AssertHeld();
  CHECK(!has_ended()) << path_;
  SetPhase(is_open() ? Phase::kClosing : Phase::kClosed);
}

void PartitionState::EndClose(const absl::Status& status) {
  log_mu_->AssertHeld();
  CHECK(phase() == Phase::kClosing || phase() == Phase::kClosed) << path_;
  if (failure_.ok()) failure_ = status;
  SetPhase(Phase::kClosed);
}

void PartitionState::Delete() {
  log_mu_->AssertHeld();
  CHECK(!has_ended()) << path_;
  SetPhase(Phase::kDeleted);
}

absl::Status PartitionState::failure() const {
  log_mu_->AssertHeld();
  return phase() == Phase::kDeleted ? EndedError() : failure_;
}

absl::Status PartitionState::StatusOfWait() const {
  if (has_ended()) return absl::CancelledError(EndedError().message());
  return failure();
}

absl::Status PartitionState::EndedError() const {
  if (phase() == Phase::kDeleted) return DeletedError();
  return absl::FailedPreconditionError(absl::StrCat(path_, ": closed"));
}

absl::Status PartitionState::DeletedError() const {
  return absl::NotFoundError(absl::StrCat(path_, ": the topic was deleted"));
}

}  // namespace varve
