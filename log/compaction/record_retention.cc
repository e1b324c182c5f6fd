// SPDX-License-Identifier: Apache-2.0

#include "varve/log/compaction/record_retention.h"

#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_view.h"

namespace varve {

RecordFate RecordRetention::FateOf(const RecordBatch& batch,
                                   const RecordView& record) const {
  if (record.offset() >= mapped_end_) return RecordFate::kKept;
  if (!record.key().has_value()) return RecordFate::kWithoutKey;
  if (keys_.HasLater(*record.key(), record.offset()))
    return RecordFate::kSuperseded;
  if (record.value().has_value()) return RecordFate::kKept;
  return IsPastHorizon(batch) ? RecordFate::kExpired
                              : RecordFate::kKeptTombstone;
}

}  // namespace varve
