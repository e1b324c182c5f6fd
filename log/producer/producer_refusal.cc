// SPDX-License-Identifier: Apache-2.0

#include "varve/log/producer/producer_refusal.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/log/log.h"
#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace varve {
namespace {

constexpr std::string_view kPayload = "varve.producer_refusal";

absl::StatusCode CodeOf(ProducerRefusal reason) {
  switch (reason) {
    case ProducerRefusal::kInvalidFields:
      return absl::StatusCode::kInvalidArgument;
    case ProducerRefusal::kOldEpoch:
    case ProducerRefusal::kOpenTransaction:
    case ProducerRefusal::kOldCoordinator:
      return absl::StatusCode::kFailedPrecondition;
    case ProducerRefusal::kSequenceGap:
      return absl::StatusCode::kOutOfRange;
    case ProducerRefusal::kOldSequence:
      return absl::StatusCode::kAlreadyExists;
    case ProducerRefusal::kTooManyTransactions:
      return absl::StatusCode::kResourceExhausted;
  }
  LOG(FATAL) << "no reason: " << static_cast<int>(reason);
}

}  // namespace

std::optional<ProducerRefusal> ProducerRefusalOf(const absl::Status& status) {
  const std::optional<absl::Cord> payload = status.GetPayload(kPayload);
  int reason = 0;
  if (!payload.has_value() ||
      !absl::SimpleAtoi(std::string(*payload), &reason) ||
      reason < static_cast<int>(ProducerRefusal::kInvalidFields) ||
      reason > static_cast<int>(ProducerRefusal::kTooManyTransactions)) {
    return std::nullopt;
  }
  return static_cast<ProducerRefusal>(reason);
}

absl::Status ProducerRefusalError(ProducerRefusal reason,
                                  std::string_view message) {
  absl::Status status(CodeOf(reason), message);
  status.SetPayload(kPayload,
                    absl::Cord(absl::StrCat(static_cast<int>(reason))));
  return status;
}

}  // namespace varve
