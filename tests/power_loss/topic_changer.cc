// SPDX-License-Identifier: Apache-2.0

#include "tests/power_loss/topic_changer.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tests/power_loss/note.h"
#include "tests/power_loss/workload_topics.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/topic_config.h"
#include "varve/api/topic_description.h"
#include "varve/log/metadata/durability.h"

namespace varve {
namespace {

Note NoteOf(NoteKind kind, const TopicDescription& topic, int64_t value) {
  return {.kind = kind,
          .phase = NotePhase::kAsked,
          .name = TopicNumber(topic.name).value_or(-1),
          .instance = InstanceOf(topic),
          .value = value};
}

Note Done(Note note) {
  note.phase = NotePhase::kDone;
  return note;
}

}  // namespace

bool TopicChanger::Begin(LogStore& store) {
  for (int32_t name = 0; name < kLastingTopics; ++name) {
    if (store.DescribeTopic(TopicText(name)).ok()) continue;
    if (!Create(store, name)) return false;
  }
  return true;
}

bool TopicChanger::Step(LogStore& store) {
  Rest(10'000);
  std::vector<TopicDescription> topics = store.ListTopics();
  std::erase_if(topics, [](const TopicDescription& topic) {
    return !TopicNumber(topic.name).has_value();
  });
  // One of the session's own names, whose topic is made when there is none.
  const int32_t name = PassingTopic(
      place_.session, static_cast<int32_t>(Random() % kPassingTopics));
  if (OneIn(2) &&
      absl::IsNotFound(store.DescribeTopic(TopicText(name)).status()))
    return Create(store, name);
  if (topics.empty()) return true;
  const TopicDescription& topic = topics[Random() % topics.size()];
  if (OneIn(4)) return Alter(store, topic);
  if (OneIn(4)) return Widen(store, topic);
  if (!IsPassingTopic(*TopicNumber(topic.name))) return true;
  if (OneIn(3)) return Commit(store, topic);
  if (OneIn(3)) return Delete(store, topic);
  return Fill(store, topic);
}

bool TopicChanger::Create(LogStore& store, int32_t name) {
  const int32_t instance = place_.session * 10'000 + ++instances_;
  const TopicConfig config = ConfigOf(name, instance, Random());
  Note note = {.kind = NoteKind::kTopic,
               .phase = NotePhase::kAsked,
               .name = name,
               .value = instance};
  Write(note);
  if (!Succeeded(store.CreateTopic(TopicText(name), config), "create"))
    return false;
  Write(Done(note));
  note = {.kind = NoteKind::kPartitions,
          .name = name,
          .instance = instance,
          .value = config.partitions};
  Write(note);
  return true;
}

bool TopicChanger::Delete(LogStore& store, const TopicDescription& topic) {
  const Note note = NoteOf(NoteKind::kTopic, topic, 0);
  Write(note);
  if (!Succeeded(store.DeleteTopic(topic.name), "delete")) return false;
  Write(Done(note));
  // The new topic is made at once, while files of the old one are still being
  // removed.
  return OneIn(2) ? Create(store, note.name) : true;
}

bool TopicChanger::Alter(LogStore& store, const TopicDescription& topic) {
  const int64_t alteration = int64_t{place_.session} * 10'000 + ++alterations_;
  const Note note = NoteOf(NoteKind::kConfig, topic, alteration);
  Write(note);
  const absl::Status altered = store.AlterTopic(
      topic.name, {.set = {{"segment.jitter.ms", absl::StrCat(alteration)},
                           {"segment.bytes", SegmentBytesOf(alteration)}}});
  if (!Succeeded(altered, "alter")) return false;
  Write(Done(note));
  return true;
}

bool TopicChanger::Widen(LogStore& store, const TopicDescription& topic) {
  if (topic.config.partitions == kPartitionsMax) return true;
  const int32_t partitions = topic.config.partitions + 1;
  const Note note = NoteOf(NoteKind::kPartitions, topic, partitions);
  Write(note);
  if (!Succeeded(store.AddPartitions(topic.name, partitions), "widen"))
    return false;
  Write(Done(note));
  return true;
}

bool TopicChanger::Fill(LogStore& store, const TopicDescription& topic) {
  const auto partition = static_cast<int32_t>(
      Random() % static_cast<uint64_t>(topic.config.partitions));
  for (uint64_t i = Random() % 20; i > 0; --i) {
    // Any level, as for the last of the lasting topics.
    if (!AppendBatch(store, topic, partition,
                     LevelOf(kLastingTopics - 1, Random())))
      return false;
  }
  return true;
}

bool TopicChanger::Commit(LogStore& store, const TopicDescription& topic) {
  const auto partition = store.partition(topic.name, 0);
  if (!Succeeded(partition.status(), "partition")) return false;
  Note note = NoteOf(NoteKind::kCommit, topic, partition->visible_end());
  note.group = kGroup;
  note.level = OneIn(2) ? Durability::kSynced : Durability::kMemory;
  Write(note);
  const absl::Status committed = store.CommitOffset(
      absl::StrCat("group-", kGroup), topic.name, 0, note.value, note.level);
  if (!Succeeded(committed, "commit")) return false;
  Write(Done(note));
  return true;
}

}  // namespace varve
