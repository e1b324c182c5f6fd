// SPDX-License-Identifier: Apache-2.0

#include "varve/log/producer/snapshot_bytes.h"

#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

#include "absl/crc/crc32c.h"
#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "varve/index/big_endian.h"
#include "varve/log/producer/producer_snapshot.h"

namespace varve {
namespace {

using snapshot_layout::kCountField;
using snapshot_layout::kCrcField;
using snapshot_layout::kVersion;

// What is wrong with an entry of a snapshot at `offset`, or null.
const char* DefectOf(const ProducerEntry& entry, int64_t offset) {
  if (entry.producer_id < 0) return "the producer id is negative";
  if (entry.producer_epoch < 0) return "the producer epoch is negative";
  if (entry.transaction_first_offset >= offset) {
    return "a transaction begins at or above the offset of the snapshot";
  }
  if (entry.last_offset < 0) return nullptr;  // none, whatever else is said
  if (entry.last_sequence < -1) return "the last sequence is below -1";
  if (entry.last_offset >= offset) {
    return "the last offset is not below that of the snapshot";
  }
  if (entry.offset_delta < 0 || entry.offset_delta > entry.last_offset) {
    return "the offset delta is not within 0 to the last offset";
  }
  return nullptr;
}

}  // namespace

bool SnapshotBytes::has_header() const {
  return std::ssize(bytes_) >= ProducerSnapshot::kHeaderSize;
}

int16_t SnapshotBytes::version() const {
  CHECK(has_header());
  return LoadBig16(bytes_.data());
}

uint32_t SnapshotBytes::crc() const {
  CHECK(has_header());
  return static_cast<uint32_t>(LoadBig32(bytes_.data() + kCrcField));
}

int32_t SnapshotBytes::stated_count() const {
  CHECK(has_header());
  return LoadBig32(bytes_.data() + kCountField);
}

uint32_t SnapshotBytes::ComputeCrc() const {
  CHECK(has_header());
  return static_cast<uint32_t>(absl::ComputeCrc32c(bytes_.substr(kCountField)));
}

std::optional<SnapshotDefect> SnapshotBytes::FileDefect() const {
  const int64_t size = std::ssize(bytes_);
  if (!has_header()) {
    return SnapshotDefect{
        .position = size,
        .what = absl::StrCat("the file ends inside of its first ",
                             ProducerSnapshot::kHeaderSize, " bytes")};
  }
  if (version() > kVersion) {
    return SnapshotDefect{
        .code = absl::StatusCode::kUnimplemented,
        .what = absl::StrCat("version ", version(), ", and versions up to ",
                             kVersion, " are known")};
  }
  if (version() != kVersion) {
    return SnapshotDefect{
        .what = absl::StrCat("version ", version(), ", not ", kVersion)};
  }
  const int64_t count = stated_count();
  const int64_t entries_size = size - ProducerSnapshot::kHeaderSize;
  if (count < 0 || count * ProducerSnapshot::kEntrySize != entries_size) {
    return SnapshotDefect{
        .position = kCountField,
        .what = absl::StrCat(
            "a count of ", count, " entries, and the file has ", entries_size,
            " bytes of them, ", ProducerSnapshot::kEntrySize, " each")};
  }
  if (const uint32_t found = ComputeCrc(); found != crc()) {
    return SnapshotDefect{
        .position = kCrcField,
        .what = absl::StrCat(
            "the CRC-32C is ", absl::Hex(crc(), absl::kZeroPad8),
            ", that of the bytes is ", absl::Hex(found, absl::kZeroPad8))};
  }
  return std::nullopt;
}

int64_t SnapshotBytes::entry_count() const {
  if (!has_header()) return 0;
  return (std::ssize(bytes_) - ProducerSnapshot::kHeaderSize) /
         ProducerSnapshot::kEntrySize;
}

ProducerEntry SnapshotBytes::entry(int64_t i) const {
  CHECK_GE(i, 0);
  CHECK_LT(i, entry_count());
  const char* const at = bytes_.data() + PositionOf(i);
  return {.producer_id = LoadBig64(at),
          .producer_epoch = LoadBig16(at + snapshot_layout::kEpochField),
          .last_sequence = LoadBig32(at + snapshot_layout::kLastSequenceField),
          .last_offset = LoadBig64(at + snapshot_layout::kLastOffsetField),
          .offset_delta = LoadBig32(at + snapshot_layout::kOffsetDeltaField),
          .timestamp_ms = LoadBig64(at + snapshot_layout::kTimestampField),
          .coordinator_epoch =
              LoadBig32(at + snapshot_layout::kCoordinatorEpochField),
          .transaction_first_offset =
              LoadBig64(at + snapshot_layout::kFirstOffsetField)};
}

std::optional<SnapshotDefect> SnapshotBytes::EntryDefect(int64_t i) const {
  const ProducerEntry found = entry(i);
  const char* const defect = DefectOf(found, offset_);
  if (defect == nullptr) return std::nullopt;
  return SnapshotDefect{
      .position = PositionOf(i),
      .what = absl::StrCat("producer ", found.producer_id, ": ", defect)};
}

}  // namespace varve
