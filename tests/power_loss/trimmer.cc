// SPDX-License-Identifier: Apache-2.0

#include "tests/power_loss/trimmer.h"

#include <algorithm>
#include <cstdint>

#include "tests/power_loss/note.h"
#include "tests/power_loss/workload_topics.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"

namespace varve {

bool Trimmer::Step(LogStore& store) {
  Rest(60'000);
  const auto name = static_cast<int32_t>(Random() % kLastingTopics);
  const auto topic = store.DescribeTopic(TopicText(name));
  if (!Succeeded(topic.status(), "describe")) return false;
  const auto index = static_cast<int32_t>(
      Random() % static_cast<uint64_t>(topic->config.partitions));
  auto partition = store.partition(topic->name, index);
  if (!Succeeded(partition.status(), "partition")) return false;
  const int64_t kept = OneIn(8) ? 0 : static_cast<int64_t>(Random() % 1500);
  Note note = {.kind = NoteKind::kLogStart,
               .phase = NotePhase::kAsked,
               .name = name,
               .instance = InstanceOf(*topic),
               .partition = index,
               .value = std::max<int64_t>(partition->visible_end() - kept, 0)};
  Write(note);
  if (!Succeeded(partition->TrimBefore(note.value), "trim")) return false;
  note.phase = NotePhase::kDone;
  Write(note);
  return true;
}

}  // namespace varve
