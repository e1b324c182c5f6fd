// SPDX-License-Identifier: Apache-2.0

#include "varve/log/producer/producer_snapshot.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "absl/crc/crc32c.h"
#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/index/big_endian.h"

namespace varve {
namespace {

constexpr int16_t kVersion = 1;

// Where the fields of the file stand.
constexpr int kCrcField = 2;
constexpr int kCountField = 6;  // the CRC covers from here

// Where those of an entry stand; the producer id is first.
constexpr int kEpochField = 8;
constexpr int kLastSequenceField = 10;
constexpr int kLastOffsetField = 14;
constexpr int kOffsetDeltaField = 22;
constexpr int kTimestampField = 26;
constexpr int kCoordinatorEpochField = 34;
constexpr int kFirstOffsetField = 38;

uint32_t CrcOf(std::string_view bytes) {
  return static_cast<uint32_t>(absl::ComputeCrc32c(bytes.substr(kCountField)));
}

void StoreEntry(const ProducerEntry& entry, char* at) {
  StoreBig64(at, entry.producer_id);
  StoreBig16(at + kEpochField, entry.producer_epoch);
  StoreBig32(at + kLastSequenceField, entry.last_sequence);
  StoreBig64(at + kLastOffsetField, entry.last_offset);
  StoreBig32(at + kOffsetDeltaField, entry.offset_delta);
  StoreBig64(at + kTimestampField, entry.timestamp_ms);
  StoreBig32(at + kCoordinatorEpochField, entry.coordinator_epoch);
  StoreBig64(at + kFirstOffsetField, entry.transaction_first_offset);
}

ProducerEntry LoadEntry(const char* at) {
  ProducerEntry entry = {
      .producer_id = LoadBig64(at),
      .producer_epoch = LoadBig16(at + kEpochField),
      .last_sequence = LoadBig32(at + kLastSequenceField),
      .last_offset = LoadBig64(at + kLastOffsetField),
      .offset_delta = LoadBig32(at + kOffsetDeltaField),
      .timestamp_ms = LoadBig64(at + kTimestampField),
      .coordinator_epoch = LoadBig32(at + kCoordinatorEpochField),
      .transaction_first_offset = LoadBig64(at + kFirstOffsetField)};
  if (entry.last_offset < 0) {
    entry.last_sequence = -1;
    entry.last_offset = -1;
    entry.offset_delta = 0;
  }
  if (entry.transaction_first_offset < 0) entry.transaction_first_offset = -1;
  return entry;
}

// What is wrong with an entry of a snapshot at `offset`, or null.
const char* DefectOf(const ProducerEntry& entry, int64_t offset) {
  if (entry.producer_id < 0) return "the producer id is negative";
  if (entry.producer_epoch < 0) return "the producer epoch is negative";
  if (entry.last_sequence < -1) return "the last sequence is below -1";
  if (entry.last_offset >= offset) {
    return "the last offset is not below that of the snapshot";
  }
  // Also when there is a batch: 0 is at most its last offset.
  if (entry.offset_delta < 0 ||
      (entry.last_offset >= 0 && entry.offset_delta > entry.last_offset)) {
    return "the offset delta is not within 0 to the last offset";
  }
  if (entry.transaction_first_offset >= offset) {
    return "a transaction begins at or above the offset of the snapshot";
  }
  return nullptr;
}

absl::Status DefectAt(int64_t position, std::string_view what) {
  return absl::DataLossError(
      absl::StrCat("producer snapshot: position ", position, ": ", what));
}

// The header, and that its count is that of the entries which are there.
absl::Status CheckHeader(std::string_view bytes) {
  const auto size = static_cast<int64_t>(bytes.size());
  if (size > ProducerSnapshot::kSizeMax) {
    return absl::ResourceExhaustedError(
        absl::StrCat("producer snapshot: ", size, " bytes are more than the ",
                     ProducerSnapshot::kSizeMax, " of ",
                     ProducerSnapshot::kEntriesMax, " producers"));
  }
  if (size < ProducerSnapshot::kHeaderSize) {
    return DefectAt(size,
                    absl::StrCat("the file ends inside of its first ",
                                 ProducerSnapshot::kHeaderSize, " bytes"));
  }
  if (const int16_t version = LoadBig16(bytes.data()); version > kVersion) {
    return absl::UnimplementedError(
        absl::StrCat("producer snapshot: position 0: version ", version,
                     ", and versions up to ", kVersion, " are known"));
  } else if (version != kVersion) {
    return DefectAt(0, absl::StrCat("version ", version, ", not ", kVersion));
  }
  const int64_t count = LoadBig32(bytes.data() + kCountField);
  const int64_t entries_size = size - ProducerSnapshot::kHeaderSize;
  if (count < 0 || count * ProducerSnapshot::kEntrySize != entries_size) {
    return DefectAt(
        kCountField,
        absl::StrCat("a count of ", count, " entries, and the file has ",
                     entries_size, " bytes of them, ",
                     ProducerSnapshot::kEntrySize, " each"));
  }
  return absl::OkStatus();
}

}  // namespace

std::string ProducerSnapshot::Encode() const {
  DCHECK_LE(producers.size(), size_t{std::numeric_limits<int32_t>::max()});
  std::string bytes(kHeaderSize + producers.size() * kEntrySize, '\0');
  StoreBig16(bytes.data(), kVersion);
  StoreBig32(bytes.data() + kCountField,
             static_cast<int32_t>(producers.size()));
  char* at = bytes.data() + kHeaderSize;
  for (const ProducerEntry& entry : producers) {
    StoreEntry(entry, at);
    at += kEntrySize;
  }
  StoreBig32(bytes.data() + kCrcField, static_cast<int32_t>(CrcOf(bytes)));
  return bytes;
}

absl::StatusOr<ProducerSnapshot> ProducerSnapshot::Decode(
    std::string_view bytes, int64_t offset) {
  if (absl::Status status = CheckHeader(bytes); !status.ok()) return status;
  const auto stored =
      static_cast<uint32_t>(LoadBig32(bytes.data() + kCrcField));
  if (const uint32_t crc = CrcOf(bytes); crc != stored) {
    return DefectAt(kCrcField, absl::StrCat("the CRC-32C is ",
                                            absl::Hex(stored, absl::kZeroPad8),
                                            ", that of the bytes is ",
                                            absl::Hex(crc, absl::kZeroPad8)));
  }
  ProducerSnapshot snapshot = {.offset = offset};
  snapshot.producers.reserve((bytes.size() - kHeaderSize) / kEntrySize);
  for (size_t at = kHeaderSize; at < bytes.size(); at += kEntrySize) {
    const ProducerEntry entry = LoadEntry(bytes.data() + at);
    if (const char* defect = DefectOf(entry, offset); defect != nullptr) {
      return DefectAt(
          static_cast<int64_t>(at),
          absl::StrCat("producer ", entry.producer_id, ": ", defect));
    }
    snapshot.producers.push_back(entry);
  }
  return snapshot;
}

}  // namespace varve
