// SPDX-License-Identifier: Apache-2.0

#include "tests/power_loss/end_watcher.h"

#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/power_loss/note.h"
#include "tests/power_loss/workload_topics.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/topic_description.h"

namespace varve {

bool EndWatcher::Step(LogStore& store) {
  Rest(4000);
  for (const TopicDescription& topic : store.ListTopics()) {
    if (!TopicNumber(topic.name).has_value()) continue;
    for (int32_t i = 0; i < topic.config.partitions; ++i) {
      absl::StatusOr<Partition> partition = store.partition(topic.name, i);
      // The topic was deleted meanwhile; the new one of its name may have
      // fewer.
      if (absl::IsNotFound(partition.status()) ||
          absl::IsOutOfRange(partition.status()))
        continue;
      if (!Succeeded(partition.status(), "partition")) return false;
      if (!Look(topic, *partition)) return false;
    }
  }
  return true;
}

bool EndWatcher::Look(const TopicDescription& topic, Partition& partition) {
  seen_.insert_or_assign({InstanceOf(topic), partition.index()},
                         std::pair(topic, partition));
  NoteEnd(topic, partition.index(), partition.durable_end());
  if (!OneIn(400)) return true;
  const int64_t end = partition.visible_end();
  const absl::Status synced = partition.Sync();
  if (absl::IsNotFound(synced)) return true;
  if (!Succeeded(synced, "sync")) return false;
  NoteEnd(topic, partition.index(), end);
  return true;
}

void EndWatcher::NoteEnd(const TopicDescription& topic, int32_t partition,
                         int64_t end) {
  int64_t& last = ends_[{InstanceOf(topic), partition}];
  if (end <= last || is_full()) return;
  last = end;
  Write({.kind = NoteKind::kDurableEnd,
         .name = TopicNumber(topic.name).value_or(-1),
         .instance = InstanceOf(topic),
         .partition = partition,
         .value = end});
}

void EndWatcher::NoteAll() {
  for (const auto& [key, seen] : seen_) {
    NoteEnd(seen.first, key.second, seen.second.visible_end());
  }
  seen_.clear();
}

}  // namespace varve
