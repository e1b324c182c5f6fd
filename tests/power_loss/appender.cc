// SPDX-License-Identifier: Apache-2.0

#include "tests/power_loss/appender.h"

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "tests/power_loss/note.h"
#include "tests/power_loss/note_file.h"
#include "tests/power_loss/record_value.h"
#include "tests/power_loss/workload_topics.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/topic_description.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"

namespace varve {

bool Appender::Step(LogStore& store) {
  const auto name = static_cast<int32_t>(Random() % kLastingTopics);
  const auto topic = store.DescribeTopic(TopicText(name));
  if (!Succeeded(topic.status(), "describe")) return false;
  const auto partition = static_cast<int32_t>(
      Random() % static_cast<uint64_t>(topic->config.partitions));
  // A sync takes as long as many appends that wait for none.
  const uint64_t most = name == 0 ? 4 : 40;
  for (uint64_t i = Random() % most; i > 0 && !is_full(); --i) {
    if (!AppendBatch(store, *topic, partition, LevelOf(name, Random())))
      return false;
  }
  Rest(OneIn(10) ? 20'000 : 3000);
  return true;
}

int32_t Appender::appender() const {
  return place_.session * static_cast<int32_t>(NoteFile::kThreads) +
         static_cast<int32_t>(place_.thread);
}

bool Appender::AppendBatch(LogStore& store, const TopicDescription& topic,
                           int32_t partition, Durability level) {
  const int32_t instance = InstanceOf(topic);
  int64_t& next = next_sequence_[{instance, partition}];
  const RecordValue first = {instance, partition, appender(), next};
  int32_t count = OneIn(3) ? 1 + static_cast<int32_t>(Random() % kBatchMax) : 1;
  if (first.is_large()) count = 1;
  const auto result = AppendRecords(store, topic, first, count, level);
  if (!Succeeded(result.status(), "append")) return false;
  count = static_cast<int32_t>(result->next_offset - result->offset);
  next += count;
  Write({.kind = NoteKind::kAppended,
         .level = level,
         .name = TopicNumber(topic.name).value_or(-1),
         .instance = instance,
         .partition = partition,
         .appender = first.appender,
         .count = count,
         .value = result->offset,
         .sequence = first.sequence});
  return true;
}

// Appends fewer than `count` when a large one, which has a batch of its own, is
// next.
absl::StatusOr<AppendResult> Appender::AppendRecords(
    LogStore& store, const TopicDescription& topic, const RecordValue& first,
    int32_t count, Durability level) {
  absl::StatusOr<Partition> partition =
      store.partition(topic.name, first.partition);
  if (!partition.ok()) return partition.status();
  BatchOptions options;
  if (const auto producer = ProducerOf(first.appender); producer.has_value()) {
    options = {.producer_id = *producer,
               .producer_epoch = 0,
               .base_sequence = static_cast<int32_t>(first.sequence)};
  } else if (count == 1) {
    return partition->Append(
        {.key = first.key(), .value = first.ToText(place_.seed)}, level);
  }
  RecordBatchBuilder builder(options);
  RecordValue value = first;
  do {
    const std::string key = value.key();
    const std::string text = value.ToText(place_.seed);
    absl::Status status =
        builder.Append({.key = key, .value = text}, absl::Now());
    if (!status.ok()) return status;
    ++value.sequence;
  } while (builder.record_count() < count && !value.is_large());
  return partition->Append(builder.Finish(), level);
}

}  // namespace varve
