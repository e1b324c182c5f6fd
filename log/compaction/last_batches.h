// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_COMPACTION_LAST_BATCHES_H_
#define VARVE_LOG_COMPACTION_LAST_BATCHES_H_

#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/producer/producer_snapshot.h"

namespace varve {

// The batches that a log must not lose, though all of their records go: the
// last one of each producer that is known. It says which sequence comes next,
// and, when the producer has only markers left, which epoch is fenced off; who
// opens the log from its batches alone learns it there. Kafka's
// lastRecordsOfActiveProducers.
//
// They are as of the moment when they were taken. That may be long ago: the
// last batch of a producer moves forward only, so what it was then is kept for
// nothing at worst.
//
// Thread safety: immutable.
class LastBatches {
 public:
  LastBatches() = default;
  // `producers`: those of ProducerStates::Snapshot.
  explicit LastBatches(absl::Span<const ProducerEntry> producers);

  // Whether it is the last data batch of its producer; or, of a producer of
  // which no data batch is known, a control batch of its epoch.
  bool Contains(const RecordBatch& batch) const;

 private:
  struct Last {
    int64_t offset = -1;  // of its last data record; -1 for none
    int16_t producer_epoch = -1;
  };
  absl::flat_hash_map<int64_t, Last> last_;  // by producer
};

}  // namespace varve

#endif  // VARVE_LOG_COMPACTION_LAST_BATCHES_H_
