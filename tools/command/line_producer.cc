// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/command/line_producer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "varve/api/log_store.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_encoder.h"
#include "varve/log/batch/record_timestamp.h"
#include "varve/log/batch/varint.h"

namespace varve {
namespace {

// Bytes that `record` takes in a batch, at most.
int64_t RecordSizeMax(const Record& record) {
  const int64_t body_size =
      RecordBodySize(record, std::numeric_limits<int64_t>::max(),
                     std::numeric_limits<int32_t>::max());
  return VarlongSize(body_size) + body_size;
}

}  // namespace

absl::StatusOr<LineProducer> LineProducer::Open(LogStore& store,
                                                std::string_view topic,
                                                const Options& options) {
  absl::StatusOr<TopicDescription> description = store.DescribeTopic(topic);
  if (!description.ok()) return description.status();
  LineProducer producer(options, description->config.log);
  producer.options_.batch_bytes =
      std::min(options.batch_bytes, producer.batch_size_max_);
  for (int32_t i = 0; i < description->config.partitions; ++i) {
    absl::StatusOr<Partition> partition = store.partition(topic, i);
    if (!partition.ok()) return partition.status();
    producer.lanes_.push_back({*std::move(partition), RecordBatchBuilder()});
  }
  return producer;
}

absl::Status LineProducer::Add(int32_t partition, const Record& record,
                               std::optional<int64_t> timestamp_ms) {
  const int64_t now_ms = AppendTimeMs(absl::ToUnixMillis(absl::Now()));
  const int64_t time_ms = timestamp_ms.value_or(now_ms);
  // The append judges a batch by its largest time alone, and refuses all of it.
  absl::Status status = config_.CheckTimestamp(time_ms, now_ms);
  if (!status.ok()) return status;
  Lane& lane = lanes_[static_cast<size_t>(partition)];
  const int64_t size_after = lane.batch.size_bytes() + RecordSizeMax(record);
  if (size_after > options_.batch_bytes && lane.batch.record_count() > 0) {
    if (status = FlushLane(lane); !status.ok()) return status;
  }
  status = lane.batch.Append(record, time_ms);
  if (!status.ok()) return status;
  if (lane.batch.size_bytes() <= batch_size_max_) return absl::OkStatus();
  // The record is alone in its batch, or the batch would have been appended
  // before.
  const int64_t size = lane.batch.size_bytes();
  lane.batch.Clear();
  return absl::InvalidArgumentError(absl::StrCat(
      "the record takes ", size, " bytes as a batch, and the topic allows ",
      batch_size_max_,
      "; split it, or use a topic with a larger max.message.bytes"));
}

absl::Status LineProducer::Flush() {
  absl::Status first;
  for (Lane& lane : lanes_) first.Update(FlushLane(lane));
  return first;
}

absl::StatusOr<EncodedBatch> LineProducer::Encode(
    RecordBatchBuilder& batch) const {
  const auto& [codec, level] = options_.compression;
  if (codec == nullptr) return batch.Finish();
  absl::StatusOr<EncodedBatch> compressed =
      batch.FinishCompressed(*codec, level);
  // Bytes that do not compress become more. A batch that is too large for the
  // topic by that is appended as it was.
  if (compressed.ok() && compressed->size_bytes() > batch_size_max_)
    return batch.Finish();
  return compressed;
}

absl::Status LineProducer::FlushLane(Lane& lane) {
  if (lane.batch.record_count() == 0) return absl::OkStatus();
  const absl::StatusOr<EncodedBatch> batch = Encode(lane.batch);
  if (!batch.ok()) return batch.status();
  absl::StatusOr<AppendResult> result =
      lane.partition.Append(*batch, options_.durability);
  if (!result.ok()) return result.status();
  acknowledged_ += lane.batch.record_count();
  lane.batch.Clear();
  return absl::OkStatus();
}

int64_t LineProducer::waiting() const {
  int64_t count = 0;
  for (const Lane& lane : lanes_) count += lane.batch.record_count();
  return count;
}

}  // namespace varve
