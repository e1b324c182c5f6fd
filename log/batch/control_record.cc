// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/control_record.h"

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/index/big_endian.h"

namespace varve {
namespace {

constexpr int kVersionSize = 2;  // int16, first in both
constexpr int16_t kVersion = 0;
static_assert(sizeof ControlRecordKey::storage ==
              kVersionSize + sizeof(int16_t));
static_assert(sizeof EndTransactionValue::storage ==
              kVersionSize + sizeof(int32_t));

absl::Status CheckPart(std::optional<std::string_view> part, size_t size_min,
                       std::string_view name) {
  if (!part.has_value()) {
    return absl::DataLossError(
        absl::StrCat("control record: the ", name, " is null"));
  }
  if (part->size() < size_min) {
    return absl::DataLossError(absl::StrCat("control record: the ", name,
                                            " has ", part->size(),
                                            " bytes, not ", size_min));
  }
  if (const int16_t version = LoadBig16(part->data()); version < kVersion) {
    return absl::DataLossError(
        absl::StrCat("control record: the ", name, " has version ", version));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ControlRecordType> ParseControlRecordType(
    std::optional<std::string_view> key) {
  absl::Status status = CheckPart(key, sizeof ControlRecordKey::storage, "key");
  if (!status.ok()) return status;
  const int16_t type = LoadBig16(key->data() + kVersionSize);
  if (type < 0 ||
      type > static_cast<int16_t>(ControlRecordType::kKRaftVoters)) {
    return ControlRecordType::kUnknown;
  }
  return static_cast<ControlRecordType>(type);
}

absl::StatusOr<int32_t> ParseCoordinatorEpoch(
    std::optional<std::string_view> value) {
  absl::Status status =
      CheckPart(value, sizeof EndTransactionValue::storage, "value");
  if (!status.ok()) return status;
  return LoadBig32(value->data() + kVersionSize);
}

ControlRecordKey::ControlRecordKey(ControlRecordType type) {
  StoreBig16(storage.data(), kVersion);
  StoreBig16(storage.data() + kVersionSize, static_cast<int16_t>(type));
}

EndTransactionValue::EndTransactionValue(int32_t coordinator_epoch) {
  StoreBig16(storage.data(), kVersion);
  StoreBig32(storage.data() + kVersionSize, coordinator_epoch);
}

}  // namespace varve
