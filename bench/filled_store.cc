// SPDX-License-Identifier: Apache-2.0

#include "bench/filled_store.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/log/check.h"
#include "bench/bare/bare_batch.h"
#include "varve/api/topic_config.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"

namespace varve::bench {
namespace {

TopicConfig ConfigOf(const Filling& filling) {
  TopicConfig config;
  config.log.segment_bytes = filling.segment_bytes;
  config.log.max_message_bytes =
      std::max(config.log.max_message_bytes,
               BareBatchSize(filling.record, filling.batch));
  return config;
}

}  // namespace

int64_t RecordsIn(int64_t size_bytes, const Filling& filling) {
  const int64_t batch_size = BareBatchSize(filling.record, filling.batch);
  return std::max<int64_t>(1, size_bytes / batch_size) * filling.batch;
}

FilledStore::FilledStore(const Filling& filling) : store_(ConfigOf(filling)) {
  const std::string value(static_cast<size_t>(filling.record), 'v');
  RecordBatchBuilder builder;
  for (int64_t i = 0; i < filling.records; i += filling.batch) {
    builder.Clear();
    for (int k = 0; k < filling.batch; ++k) {
      CHECK_OK(builder.Append({.value = value}, kFirstTimestampMs + i + k));
    }
    CHECK_OK(store_.partition()
                 .Append(builder.Finish(), Durability::kMemory)
                 .status());
  }
}

}  // namespace varve::bench
