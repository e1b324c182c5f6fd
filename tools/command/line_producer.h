// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_COMMAND_LINE_PRODUCER_H_
#define VARVE_TOOLS_COMMAND_LINE_PRODUCER_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/log_store.h"
#include "varve/log/batch/codec.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/log_config.h"

namespace varve {

// How a producer compresses its batches.
struct ProducerCompression {
  const Codec* codec = nullptr;  // null: not at all
  int level = Codec::kDefaultLevel;
};

// Collects records into one batch for each partition of a topic, and appends a
// batch when it is large enough: a sync for each batch, not for each record.
//
// It holds partition handles; the store must stay open while it is used.
//
// Thread safety: externally synchronized.
class LineProducer {
 public:
  struct Options {
    Durability durability = Durability::kSynced;
    // A batch is appended before it exceeds this, not counting that it is
    // compressed. Larger: fewer syncs.
    int64_t batch_bytes = int64_t{64} << 10;
    // What the topic's compression.type makes of the batch is another matter.
    ProducerCompression compression = {};
  };

  // Errors: those of LogStore::DescribeTopic and LogStore::partition.
  static absl::StatusOr<LineProducer> Open(LogStore& store,
                                           std::string_view topic,
                                           const Options& options);

  int32_t partition_count() const {
    return static_cast<int32_t>(lanes_.size());
  }
  // Bytes of a batch that the topic takes, at most.
  int64_t batch_size_max() const { return batch_size_max_; }

  // Adds a record; it may wait in its batch until `Flush`. Its time is
  // `timestamp_ms`, -1 for none, or by default that of the call:
  // `record.timestamp` is not looked at.
  //
  // Errors: InvalidArgument when the record alone, not compressed, is too large
  // for the topic, or its time is not one that the topic takes: nothing else is
  // affected. Those of Partition::Append.
  //
  // Precondition: the topic has that partition.
  absl::Status Add(int32_t partition, const Record& record,
                   std::optional<int64_t> timestamp_ms = std::nullopt);

  // Appends everything that waits. On an error the other partitions are tried
  // all the same; the first error is returned.
  absl::Status Flush();

  // Records whose append has returned OK.
  int64_t acknowledged() const { return acknowledged_; }
  // Records that were added, and are not acknowledged.
  int64_t waiting() const;

 private:
  struct Lane {
    Partition partition;
    RecordBatchBuilder batch;
  };

  LineProducer(const Options& options, const LogConfig& config)
      : options_(options),
        config_(config),
        batch_size_max_(config.batch_size_max()) {}

  absl::StatusOr<EncodedBatch> Encode(RecordBatchBuilder& batch) const;
  absl::Status FlushLane(Lane& lane);

  Options options_;
  LogConfig config_;  // the topic's
  int64_t batch_size_max_;
  std::vector<Lane> lanes_;  // by partition
  int64_t acknowledged_ = 0;
};

}  // namespace varve

#endif  // VARVE_TOOLS_COMMAND_LINE_PRODUCER_H_
