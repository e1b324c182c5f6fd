// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PRODUCER_PRODUCER_SNAPSHOT_H_
#define VARVE_LOG_PRODUCER_PRODUCER_SNAPSHOT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace varve {

// What is known of one producer, as a snapshot keeps it: of the batches that it
// has appended, the last one.
struct ProducerEntry {
  int64_t producer_id = 0;
  int16_t producer_epoch = 0;
  // Of its last data batch in that epoch. -1, -1 and 0 when none is known: only
  // a marker was seen. -1 for a batch without sequences (a coordinator's).
  int32_t last_sequence = -1;
  int64_t last_offset = -1;
  int32_t offset_delta =
      0;  // last offset less first, and the same of sequences
  // The largest timestamp of its last batch, data or marker; -1 for none.
  int64_t timestamp_ms = -1;
  int32_t coordinator_epoch = -1;  // of its last marker; -1: none was seen
  // Of the first batch of its open transaction; -1: none is open.
  int64_t transaction_first_offset = -1;

  friend bool operator==(const ProducerEntry&, const ProducerEntry&) = default;
};

// The producers of a partition as of one offset: a file
// `<20 digits>.snapshot`, Kafka's, byte for byte. It stands for everything
// below that offset. Big-endian:
//
//   0   2   int16   version, 1
//   2   4   uint32  CRC-32C of the bytes from 6 to the end
//   6   4   int32   number of entries
//   10 + 46 i       entry: producer id int64, producer epoch int16, last
//                   sequence int32, last offset int64, offset delta int32,
//                   timestamp int64, coordinator epoch int32, first offset of
//                   the open transaction int64
//
// Kafka writes the entries in no particular order; varve in the order of use,
// as ProducerStates::Snapshot says.
//
// Thread safety: a value.
struct ProducerSnapshot {
  int64_t offset = 0;  // in the file's name
  std::vector<ProducerEntry> producers = {};

  static constexpr int kHeaderSize = 10;
  static constexpr int kEntrySize = 46;

  // The most entries that `Decode` takes, and so the largest file to read:
  // longer ones are refused. (ProducerStates keeps fewer.)
  static constexpr int64_t kEntriesMax = 1'000'000;
  static constexpr int64_t kSizeMax = kHeaderSize + kEntriesMax * kEntrySize;

  // The contents of the file.
  std::string Encode() const;

  // The snapshot in a file of that name's offset.
  //
  // Every flip of a bit and every cut is refused: the CRC covers all but the
  // version, which has to be 1, and itself. The fields of the entries are what
  // Kafka can have written, so that nothing has to be checked after it:
  // producer ids, producer epochs and offset deltas are 0 or more, sequences -1
  // or more, and no offset is `offset` or above. An offset below 0 is none, as
  // Kafka reads it.
  //
  // Errors, with the position and the reason; the caller knows the path, and
  // tries the next older snapshot, or reads the log: DataLoss when the bytes
  // are not a snapshot; Unimplemented for a version above 1, which a later
  // Kafka may have written; ResourceExhausted for more than kSizeMax bytes.
  static absl::StatusOr<ProducerSnapshot> Decode(std::string_view bytes,
                                                 int64_t offset);

  friend bool operator==(const ProducerSnapshot&,
                         const ProducerSnapshot&) = default;
};

}  // namespace varve

#endif  // VARVE_LOG_PRODUCER_PRODUCER_SNAPSHOT_H_
