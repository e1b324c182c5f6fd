// SPDX-License-Identifier: Apache-2.0

#include "tests/power_loss/committer.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tests/power_loss/note.h"
#include "tests/power_loss/workload_topics.h"
#include "varve/api/committed_offset.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/topic_description.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/topic_partition.h"

namespace varve {
namespace {

std::string GroupText(int32_t group) { return absl::StrCat("group-", group); }

Note NoteOf(int32_t group, const TopicDescription& topic, int32_t partition,
            int64_t offset) {
  return {.kind = NoteKind::kCommit,
          .phase = NotePhase::kAsked,
          .name = TopicNumber(topic.name).value_or(-1),
          .instance = InstanceOf(topic),
          .partition = partition,
          .group = group,
          .value = offset};
}

Note Done(Note note) {
  note.phase = NotePhase::kDone;
  return note;
}

}  // namespace

bool Committer::Step(LogStore& store) {
  Rest(12'000);
  const auto topic = store.DescribeTopic(
      TopicText(static_cast<int32_t>(Random() % kLastingTopics)));
  if (!Succeeded(topic.status(), "describe")) return false;
  if (OneIn(4)) return CommitPair(store, *topic);
  const auto group = static_cast<int32_t>(Random() % kGroups);
  if (group == kFleetingGroup && OneIn(3)) return DeleteFleeting(store, *topic);
  return Commit(store, group, *topic);
}

Durability Committer::Level(int32_t group) {
  if (group == 0 || OneIn(3)) return Durability::kSynced;
  return OneIn(2) ? Durability::kInterval : Durability::kMemory;
}

bool Committer::Commit(LogStore& store, int32_t group,
                       const TopicDescription& topic) {
  const auto index = static_cast<int32_t>(Random() % kLastingPartitions);
  const auto partition = store.partition(topic.name, index);
  if (!Succeeded(partition.status(), "partition")) return false;
  const auto found = store.CommittedOffset(GroupText(group), topic.name, index);
  if (!absl::IsNotFound(found.status()) &&
      !Succeeded(found.status(), "committed offset"))
    return false;
  const int64_t less = static_cast<int64_t>(Random() % 100);
  Note note = NoteOf(group, topic, index,
                     std::max(found.ok() ? found->offset : 0,
                              partition->visible_end() - less));
  note.level = Level(group);
  Write(note);
  const absl::Status committed = store.CommitOffset(
      GroupText(group), topic.name, index, note.value, note.level);
  // The offset was trimmed meanwhile.
  if (absl::IsOutOfRange(committed)) return true;
  if (!Succeeded(committed, "commit")) return false;
  Write(Done(note));
  return true;
}

bool Committer::CommitPair(LogStore& store, const TopicDescription& topic) {
  std::vector<OffsetCommit> commits;
  std::vector<Note> notes;
  const std::string metadata = absl::StrCat(place_.session, ".", ++pairs_);
  const Durability level = Level(kPairGroup);
  for (int32_t i = 0; i < 2; ++i) {
    const auto partition = store.partition(topic.name, i);
    if (!Succeeded(partition.status(), "partition")) return false;
    // The offset is never lower than before: the end does not decrease.
    commits.push_back({topic.name, i, partition->visible_end(), metadata});
    notes.push_back(NoteOf(kPairGroup, topic, i, commits.back().offset));
    notes.back().level = level;
    Write(notes.back());
  }
  const absl::Status committed =
      store.CommitOffsets(GroupText(kPairGroup), commits, level);
  if (absl::IsOutOfRange(committed)) return true;
  if (!Succeeded(committed, "commit of two")) return false;
  for (const Note& note : notes) Write(Done(note));
  return true;
}

bool Committer::DeleteFleeting(LogStore& store, const TopicDescription& topic) {
  std::vector<TopicPartition> partitions;
  std::vector<Note> notes;
  for (int32_t i = 0; i < kLastingPartitions; ++i) {
    partitions.push_back({topic.name, i});
    notes.push_back(NoteOf(kFleetingGroup, topic, i, -1));
    notes.back().level = Level(kFleetingGroup);
  }
  const Durability level = notes.front().level;
  for (Note& note : notes) {
    note.level = level;
    Write(note);
  }
  const absl::Status deleted =
      store.DeleteOffsets(GroupText(kFleetingGroup), partitions, level);
  // One of them was never committed, and nothing is changed.
  if (absl::IsNotFound(deleted)) return true;
  if (!Succeeded(deleted, "delete offsets")) return false;
  for (const Note& note : notes) Write(Done(note));
  return true;
}

}  // namespace varve
