// SPDX-License-Identifier: Apache-2.0

#include "varve/log/producer/producer_snapshot.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/index/big_endian.h"
#include "varve/log/producer/snapshot_bytes.h"

namespace varve {
namespace {

using snapshot_layout::kCountField;
using snapshot_layout::kCrcField;

void StoreEntry(const ProducerEntry& entry, char* at) {
  StoreBig64(at, entry.producer_id);
  StoreBig16(at + snapshot_layout::kEpochField, entry.producer_epoch);
  StoreBig32(at + snapshot_layout::kLastSequenceField, entry.last_sequence);
  StoreBig64(at + snapshot_layout::kLastOffsetField, entry.last_offset);
  StoreBig32(at + snapshot_layout::kOffsetDeltaField, entry.offset_delta);
  StoreBig64(at + snapshot_layout::kTimestampField, entry.timestamp_ms);
  StoreBig32(at + snapshot_layout::kCoordinatorEpochField,
             entry.coordinator_epoch);
  StoreBig64(at + snapshot_layout::kFirstOffsetField,
             entry.transaction_first_offset);
}

// An offset below 0 is none.
ProducerEntry WithoutNegativeOffsets(ProducerEntry entry) {
  if (entry.last_offset < 0) {
    entry.last_sequence = -1;
    entry.last_offset = -1;
    entry.offset_delta = 0;
  }
  if (entry.transaction_first_offset < 0) entry.transaction_first_offset = -1;
  return entry;
}

absl::Status ToStatus(const SnapshotDefect& defect) {
  return {defect.code, absl::StrCat("producer snapshot: position ",
                                    defect.position, ": ", defect.what)};
}

absl::Status CheckSize(std::string_view bytes) {
  const auto size = static_cast<int64_t>(bytes.size());
  if (size <= ProducerSnapshot::kSizeMax) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("producer snapshot: ", size, " bytes are more than the ",
                   ProducerSnapshot::kSizeMax, " of ",
                   ProducerSnapshot::kEntriesMax, " producers"));
}

}  // namespace

std::string ProducerSnapshot::Encode() const {
  DCHECK_LE(producers.size(), size_t{std::numeric_limits<int32_t>::max()});
  std::string bytes(kHeaderSize + producers.size() * kEntrySize, '\0');
  StoreBig16(bytes.data(), snapshot_layout::kVersion);
  StoreBig32(bytes.data() + kCountField,
             static_cast<int32_t>(producers.size()));
  char* at = bytes.data() + kHeaderSize;
  for (const ProducerEntry& entry : producers) {
    StoreEntry(entry, at);
    at += kEntrySize;
  }
  StoreBig32(bytes.data() + kCrcField,
             static_cast<int32_t>(SnapshotBytes(bytes, offset).ComputeCrc()));
  return bytes;
}

absl::StatusOr<ProducerSnapshot> ProducerSnapshot::Decode(
    std::string_view bytes, int64_t offset) {
  if (absl::Status status = CheckSize(bytes); !status.ok()) return status;
  const SnapshotBytes parts(bytes, offset);
  if (const auto defect = parts.FileDefect(); defect.has_value())
    return ToStatus(*defect);
  ProducerSnapshot snapshot = {.offset = offset};
  snapshot.producers.reserve(static_cast<size_t>(parts.entry_count()));
  for (int64_t i = 0; i < parts.entry_count(); ++i) {
    if (const auto defect = parts.EntryDefect(i); defect.has_value())
      return ToStatus(*defect);
    snapshot.producers.push_back(WithoutNegativeOffsets(parts.entry(i)));
  }
  return snapshot;
}

}  // namespace varve
