// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PRODUCER_PRODUCER_BATCH_H_
#define VARVE_LOG_PRODUCER_PRODUCER_BATCH_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "varve/log/batch/record_batch.h"

namespace varve {

inline constexpr int64_t kNoProducer = -1;

// What the states of producers need of a batch: the fields of its header that
// name a producer, and, for a marker that ends a transaction, what it says.
// Nothing of its place, so an append makes it before it takes the partition's
// lock. The default is a batch that no producer state is about; so is every
// append of single records.
//
// Thread safety: a value.
struct ProducerBatch {
  enum class Kind : uint8_t {
    kNone,           // no producer; or a control batch that ends no transaction
    kData,           // records of a producer, outside of transactions
    kTransactional,  // records of a producer's transaction
    kCommit,         // a marker that ends a producer's transaction
    kAbort,          // the same, and its records do not count
    // The fields contradict each other: a transactional batch without a
    // producer; a producer id below -1; a producer without an epoch.
    kInvalid,
  };

  Kind kind = Kind::kNone;
  int16_t producer_epoch = -1;
  int32_t base_sequence = -1;
  int32_t last_offset_delta = 0;
  int32_t coordinator_epoch = -1;  // of a marker
  int64_t producer_id = kNoProducer;

  bool is_marker() const {
    return kind == Kind::kCommit || kind == Kind::kAbort;
  }
  bool is_data() const {
    return kind == Kind::kData || kind == Kind::kTransactional;
  }

  // Reads it off the header; of a control batch also off the first record, the
  // only one that counts. A control batch that compaction has emptied is kNone,
  // as is one of a type that ends no transaction. A data batch without records
  // is as any other: compaction keeps such a header for its sequence.
  //
  // Errors: those of log/batch/record_cursor.h and log/batch/control_record.h,
  // mostly DataLoss, for a control batch whose record is no marker that can be
  // read. The CRC of such a batch may hold: its writer was wrong. An append
  // refuses it; recovery, which refuses no batch that is whole, takes it for
  // kNone.
  static absl::StatusOr<ProducerBatch> Read(const RecordBatch& batch) {
    if (batch.producer_id() == kNoProducer && !batch.is_transactional()) {
      return ProducerBatch();
    }
    return ReadFields(batch);
  }

 private:
  static absl::StatusOr<ProducerBatch> ReadFields(const RecordBatch& batch);
};

}  // namespace varve

#endif  // VARVE_LOG_PRODUCER_PRODUCER_BATCH_H_
