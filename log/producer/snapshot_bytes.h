// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PRODUCER_SNAPSHOT_BYTES_H_
#define VARVE_LOG_PRODUCER_SNAPSHOT_BYTES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "varve/log/producer/producer_snapshot.h"

namespace varve {

// Where the fields of a snapshot stand (log/producer/producer_snapshot.h).
namespace snapshot_layout {

inline constexpr int16_t kVersion = 1;

// Of the file; the version is first.
inline constexpr int kCrcField = 2;
inline constexpr int kCountField = 6;  // the CRC covers from here

// Of an entry; the producer id is first.
inline constexpr int kEpochField = 8;
inline constexpr int kLastSequenceField = 10;
inline constexpr int kLastOffsetField = 14;
inline constexpr int kOffsetDeltaField = 22;
inline constexpr int kTimestampField = 26;
inline constexpr int kCoordinatorEpochField = 34;
inline constexpr int kFirstOffsetField = 38;

}  // namespace snapshot_layout

// What is wrong in a snapshot, and where.
struct SnapshotDefect {
  // DataLoss, or Unimplemented for a version above the known ones.
  absl::StatusCode code = absl::StatusCode::kDataLoss;
  int64_t position = 0;  // in the file
  std::string what = {};
};

// The bytes of a snapshot, part by part. ProducerSnapshot::Decode takes all of
// them or nothing; this is also for who shows what is left of a damaged file.
// Whatever the bytes are, no method reads outside of them. Borrows them.
//
// Thread safety: a value.
class SnapshotBytes {
 public:
  // `offset` is that of the file's name.
  SnapshotBytes(std::string_view bytes, int64_t offset)
      : bytes_(bytes), offset_(offset) {}

  // What is wrong with the file as a whole: its length, its version, its
  // number of entries, its CRC; the first of them.
  std::optional<SnapshotDefect> FileDefect() const;

  // Whether there is a whole header, and what it says.
  // Precondition of the others: `has_header()`.
  bool has_header() const;
  int16_t version() const;
  uint32_t crc() const;
  int32_t stated_count() const;

  // The CRC that the bytes have. Precondition: `has_header()`.
  uint32_t ComputeCrc() const;

  // How many entries are whole, whatever the header says.
  int64_t entry_count() const;
  static int64_t PositionOf(int64_t i) {
    return ProducerSnapshot::kHeaderSize + i * ProducerSnapshot::kEntrySize;
  }

  // Entry `i`, from 0, as it stands there. Precondition: 0 <= i <
  // entry_count().
  ProducerEntry entry(int64_t i) const;

  // What is wrong with the entry, beside the file as a whole.
  std::optional<SnapshotDefect> EntryDefect(int64_t i) const;

 private:
  std::string_view bytes_;
  int64_t offset_;
};

}  // namespace varve

#endif  // VARVE_LOG_PRODUCER_SNAPSHOT_BYTES_H_
