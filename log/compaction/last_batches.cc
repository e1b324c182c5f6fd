// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compaction/last_batches.h"

#include "absl/types/span.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/producer/producer_batch.h"
#include "varve/log/producer/producer_snapshot.h"

namespace varve {

LastBatches::LastBatches(absl::Span<const ProducerEntry> producers) {
  last_.reserve(producers.size());
  for (const ProducerEntry& entry : producers) {
    last_[entry.producer_id] = {.offset = entry.last_offset,
                                .producer_epoch = entry.producer_epoch};
  }
}

bool LastBatches::Contains(const RecordBatch& batch) const {
  if (batch.producer_id() <= kNoProducer) return false;
  const auto it = last_.find(batch.producer_id());
  if (it == last_.end()) return false;
  const Last& last = it->second;
  return last.offset >= 0 ? batch.last_offset() == last.offset
                          : batch.is_control() &&
                                batch.producer_epoch() == last.producer_epoch;
}

}  // namespace varve
