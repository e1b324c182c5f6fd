// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_COMPACTION_RECORD_RETENTION_H_
#define VARVE_LOG_COMPACTION_RECORD_RETENTION_H_

#include <cstdint>

#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/compaction/offset_map.h"

namespace varve {

// What becomes of a record.
enum class RecordFate : uint8_t {
  kKept,
  // The same, and it is a tombstone: its batch needs a delete horizon.
  kKeptTombstone,
  kSuperseded,  // goes: there is a later record of its key
  kExpired,     // goes: a tombstone that was there for long enough
  kWithoutKey,  // goes: a topic that is compacted has no use for it
};

// Which records of a log stay. Kafka's rule (Cleaner.shouldRetainRecord), in
// which the last record of a key stays, and one that is a tombstone until its
// batch has a delete horizon (KIP-534) and the time of that has come.
//
// At `mapped_end` and above nothing is known of keys, and all records stay.
// Those that are tombstones do not ask for a horizon either, which Kafka gives
// them: their time would run while older values of the key are still there, and
// a reader could meet such a value, and come to the tombstone's place too late.
//
// Thread safety: immutable.
class RecordRetention {
 public:
  // Precondition: `keys` outlives it, and is not changed.
  RecordRetention(const OffsetMap& keys, int64_t mapped_end, int64_t now_ms)
      : keys_(keys), mapped_end_(mapped_end), now_ms_(now_ms) {}

  // Precondition: the record is of that batch, which is no control batch, and
  // of no transaction that was aborted.
  RecordFate FateOf(const RecordBatch& batch, const RecordView& record) const;

  // Whether the batch has a delete horizon, and its time has come.
  bool IsPastHorizon(const RecordBatch& batch) const {
    return batch.has_delete_horizon() && batch.base_timestamp_ms() <= now_ms_;
  }

 private:
  const OffsetMap& keys_;
  const int64_t mapped_end_;
  const int64_t now_ms_;
};

}  // namespace varve

#endif  // VARVE_LOG_COMPACTION_RECORD_RETENTION_H_
