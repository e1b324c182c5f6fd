// SPDX-License-Identifier: Apache-2.0

// The contents of the records of a control batch: the key is a type, the value
// what that type needs. In topics these are the markers that end transactions.

#ifndef VARVE_LOG_BATCH_CONTROL_RECORD_H_
#define VARVE_LOG_BATCH_CONTROL_RECORD_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"

namespace varve {

// Frozen in the file format: an int16 in the key. Types that a later Kafka
// adds read as kUnknown, and are to be skipped.
enum class ControlRecordType : int16_t {
  kUnknown = -1,
  kAbort = 0,
  kCommit = 1,
  kLeaderChange = 2,
  kSnapshotHeader = 3,
  kSnapshotFooter = 4,
  kKRaftVersion = 5,
  kKRaftVoters = 6,
};

// Errors: DataLoss for a key that is absent, shorter than its two fields, or
// of a negative version. Later versions read as the first.
absl::StatusOr<ControlRecordType> ParseControlRecordType(
    std::optional<std::string_view> key);

// The value of an ABORT or COMMIT: the epoch of the transaction coordinator
// that decided it.
//
// Errors: DataLoss for a value that is absent, shorter than its two fields, or
// of a negative version.
absl::StatusOr<int32_t> ParseCoordinatorEpoch(
    std::optional<std::string_view> value);

// The key and value of a marker, to be appended as any other record, to a
// control batch of its own.
struct ControlRecordKey {
  explicit ControlRecordKey(ControlRecordType type);
  std::string_view bytes() const { return {storage.data(), storage.size()}; }

  std::array<char, 4> storage;
};
struct EndTransactionValue {
  explicit EndTransactionValue(int32_t coordinator_epoch);
  std::string_view bytes() const { return {storage.data(), storage.size()}; }

  std::array<char, 6> storage;
};

}  // namespace varve

#endif  // VARVE_LOG_BATCH_CONTROL_RECORD_H_
