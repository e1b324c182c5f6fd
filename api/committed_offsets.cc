// SPDX-License-Identifier: Apache-2.0

#include "api/committed_offsets.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "api/committed_offset.h"
#include "api/consumer_offsets_topic.h"
#include "api/group_id.h"
#include "api/offset_log.h"
#include "api/offset_partitions.h"
#include "api/offset_table.h"
#include "api/store_state.h"
#include "log/durability.h"
#include "log/offset_commit_record.h"
#include "log/partition_log.h"
#include "log/record_timestamp.h"

namespace varve {
namespace {

using MissingTopic = OffsetPartitions::MissingTopic;
using Slot = OffsetPartitions::Slot;

constexpr size_t kNotesMax = 1000;
// Offsets deleted in one batch, at most, so that it fits max.message.bytes.
constexpr size_t kDeletedTogetherMax = 1000;

std::string Quoted(std::string_view group) {
  return absl::StrCat("group \"", absl::Utf8SafeCHexEscape(group), "\"");
}

absl::Status NoOffset(std::string_view group, std::string_view topic,
                      int32_t partition) {
  return absl::NotFoundError(absl::StrCat(Quoted(group),
                                          ": no offset is committed for ",
                                          topic, ", partition ", partition));
}

absl::Status NoGroup(std::string_view group) {
  return absl::NotFoundError(
      absl::StrCat(Quoted(group), ": it has committed no offset"));
}

absl::StatusOr<CommittedOffset> ParseEntry(std::string_view group,
                                           const TopicPartition& partition,
                                           const OffsetTable::Entry& entry) {
  absl::StatusOr<OffsetCommitValue> value = ParseOffsetCommitValue(entry.value);
  if (!value.ok()) {
    return absl::Status(
        value.status().code(),
        absl::StrCat(Quoted(group), ", ", partition.topic, ", partition ",
                     partition.partition, ": ", value.status().message()));
  }
  return CommittedOffset{
      .offset = value->offset,
      .leader_epoch = value->leader_epoch,
      .metadata = std::string(value->metadata),
      .commit_time = absl::FromUnixMillis(value->commit_timestamp_ms)};
}

std::vector<TopicPartition> PartitionsOf(const OffsetTable& table,
                                         std::string_view group) {
  std::vector<TopicPartition> partitions;
  if (const OffsetTable::Group* offsets = table.Find(group)) {
    for (const auto& [partition, entry] : *offsets)
      partitions.push_back(partition);
  }
  return partitions;
}

}  // namespace

CommittedOffsets::CommittedOffsets(StoreState* store)
    : store_(store), partitions_(store, [this](std::string note) {
        AddNote(std::move(note));
      }) {}

absl::Status CommittedOffsets::Commit(std::string_view group,
                                      absl::Span<const OffsetCommit> commits,
                                      Durability durability) {
  if (absl::Status status = ValidateGroupId(group); !status.ok()) return status;
  if (commits.empty()) return absl::OkStatus();
  std::vector<OffsetLog::Change> changes;
  changes.reserve(commits.size());
  for (const OffsetCommit& commit : commits) {
    absl::StatusOr<OffsetCommitValue> value = ValueOf(commit, durability);
    if (!value.ok()) return value.status();
    changes.push_back({.key = {.group = group,
                               .topic = commit.topic,
                               .partition = commit.partition},
                       .value = *value});
  }
  absl::StatusOr<Slot*> slot =
      partitions_.OfGroup(group, MissingTopic::kCreate);
  if (!slot.ok()) return slot.status();
  std::shared_ptr<PartitionLog> log;
  {
    absl::MutexLock lock(&(*slot)->mu);
    OffsetLog& offsets = *(*slot)->offsets;
    log = offsets.log();
    absl::Status status = offsets.Append(changes, NowMs(), durability);
    if (!status.ok()) return status;
  }
  // Without the lock, so that commits made meanwhile share the next sync.
  return durability == Durability::kSynced ? log->Sync() : absl::OkStatus();
}

absl::StatusOr<OffsetCommitValue> CommittedOffsets::ValueOf(
    const OffsetCommit& commit, Durability durability) {
  if (commit.metadata.size() > kOffsetMetadataSizeMax) {
    return absl::InvalidArgumentError(
        absl::StrCat(commit.topic, ", partition ", commit.partition,
                     ": metadata of ", commit.metadata.size(), " bytes; ",
                     kOffsetMetadataSizeMax, " is the most"));
  }
  absl::StatusOr<std::shared_ptr<PartitionLog>> data =
      store_->OpenPartition(commit.topic, commit.partition);
  if (!data.ok()) return data.status();
  const int64_t begin = (*data)->log_start();
  const int64_t end = (*data)->visible_end();
  if (commit.offset < begin || commit.offset > end) {
    return absl::OutOfRangeError(absl::StrCat(
        commit.topic, ", partition ", commit.partition, ": offset ",
        commit.offset, " cannot be committed: the log starts at ", begin,
        " and ends before ", end));
  }
  absl::StatusOr<OffsetCommitValue> value =
      ValueAt(**data, commit.offset, durability);
  if (value.ok()) value->metadata = commit.metadata;
  return value;
}

// A commit that a power loss spares may not be ahead of the records it spares.
absl::StatusOr<OffsetCommitValue> CommittedOffsets::ValueAt(
    PartitionLog& data, int64_t offset, Durability durability) {
  if (durability == Durability::kSynced && offset > data.durable_end()) {
    if (absl::Status status = data.Sync(); !status.ok()) return status;
  }
  return OffsetCommitValue{
      .offset = offset,
      .leader_epoch = data.EpochAt(offset - 1).value_or(-1),
      .metadata = {},
      .commit_timestamp_ms = NowMs()};
}

absl::StatusOr<CommittedOffset> CommittedOffsets::Find(std::string_view group,
                                                       std::string_view topic,
                                                       int32_t partition) {
  if (absl::Status status = ValidateGroupId(group); !status.ok()) return status;
  if (auto data = store_->OpenPartition(topic, partition); !data.ok())
    return data.status();
  absl::StatusOr<Slot*> slot = partitions_.OfGroup(group, MissingTopic::kFail);
  if (absl::IsNotFound(slot.status())) return NoOffset(group, topic, partition);
  if (!slot.ok()) return slot.status();
  const TopicPartition where = {.topic = std::string(topic),
                                .partition = partition};
  absl::MutexLock lock(&(*slot)->mu);
  OffsetLog& offsets = *(*slot)->offsets;
  absl::Status status = CheckOffset(offsets, group, where);
  if (!status.ok()) return status;
  const OffsetTable::Entry* entry = offsets.table().Find(group, where);
  if (entry == nullptr) return NoOffset(group, topic, partition);
  return ParseEntry(group, where, *entry);
}

absl::StatusOr<std::vector<std::string>> CommittedOffsets::ListGroups() {
  std::vector<std::string> groups;
  absl::Status status = partitions_.ForEach([&](OffsetLog& offsets) {
    std::vector<std::string> some = offsets.table().groups();
    std::move(some.begin(), some.end(), std::back_inserter(groups));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  std::sort(groups.begin(), groups.end());
  return groups;
}

absl::StatusOr<std::vector<GroupOffset>> CommittedOffsets::Describe(
    std::string_view group) {
  if (absl::Status status = ValidateGroupId(group); !status.ok()) return status;
  absl::StatusOr<Slot*> slot = partitions_.OfGroup(group, MissingTopic::kFail);
  if (absl::IsNotFound(slot.status())) return NoGroup(group);
  if (!slot.ok()) return slot.status();
  absl::MutexLock lock(&(*slot)->mu);
  OffsetLog& offsets = *(*slot)->offsets;
  std::vector<GroupOffset> described;
  for (const TopicPartition& partition : PartitionsOf(offsets.table(), group)) {
    absl::StatusOr<GroupOffset> one = DescribeOffset(offsets, group, partition);
    if (!one.ok()) return one.status();
    described.push_back(*std::move(one));
  }
  if (described.empty()) return NoGroup(group);
  return described;
}

absl::StatusOr<GroupOffset> CommittedOffsets::DescribeOffset(
    OffsetLog& offsets, std::string_view group,
    const TopicPartition& partition) {
  absl::StatusOr<std::shared_ptr<PartitionLog>> data =
      store_->OpenPartition(partition.topic, partition.partition);
  if (data.ok()) {
    absl::Status status = CheckOffset(offsets, group, partition);
    if (!status.ok()) return status;
  }
  absl::StatusOr<CommittedOffset> committed =
      ParseEntry(group, partition, *offsets.table().Find(group, partition));
  if (!committed.ok()) return committed.status();
  GroupOffset described = {.partition = partition,
                           .committed = *std::move(committed)};
  if (data.ok()) {
    described.log_start = (*data)->log_start();
    described.log_end = (*data)->visible_end();
  }
  return described;
}

absl::Status CommittedOffsets::Delete(
    std::string_view group, absl::Span<const TopicPartition> partitions,
    Durability durability) {
  if (absl::Status status = ValidateGroupId(group); !status.ok()) return status;
  absl::StatusOr<Slot*> slot = partitions_.OfGroup(group, MissingTopic::kFail);
  if (absl::IsNotFound(slot.status())) return NoGroup(group);
  if (!slot.ok()) return slot.status();
  std::shared_ptr<PartitionLog> log;
  {
    absl::MutexLock lock(&(*slot)->mu);
    OffsetLog& offsets = *(*slot)->offsets;
    log = offsets.log();
    std::vector<OffsetLog::Change> changes;
    for (const TopicPartition& partition : partitions) {
      if (offsets.table().Find(group, partition) == nullptr)
        return NoOffset(group, partition.topic, partition.partition);
      changes.push_back({.key = {.group = group,
                                 .topic = partition.topic,
                                 .partition = partition.partition},
                         .value = std::nullopt});
    }
    for (absl::Span<const OffsetLog::Change> left = changes; !left.empty();) {
      const size_t count = std::min(left.size(), kDeletedTogetherMax);
      absl::Status status =
          offsets.Append(left.subspan(0, count), NowMs(), durability);
      if (!status.ok()) return status;
      left.remove_prefix(count);
    }
  }
  return durability == Durability::kSynced ? log->Sync() : absl::OkStatus();
}

absl::Status CommittedOffsets::DeleteGroup(std::string_view group,
                                           Durability durability) {
  if (absl::Status status = ValidateGroupId(group); !status.ok()) return status;
  absl::StatusOr<Slot*> slot = partitions_.OfGroup(group, MissingTopic::kFail);
  if (absl::IsNotFound(slot.status())) return NoGroup(group);
  if (!slot.ok()) return slot.status();
  std::vector<TopicPartition> partitions;
  {
    absl::MutexLock lock(&(*slot)->mu);
    partitions = PartitionsOf((*slot)->offsets->table(), group);
  }
  if (partitions.empty()) return NoGroup(group);
  return Delete(group, partitions, durability);
}

absl::Status CommittedOffsets::ForgetTopic(std::string_view topic) {
  std::map<std::string, std::vector<TopicPartition>> committed;
  absl::Status status = partitions_.ForEach([&](OffsetLog& offsets) {
    for (const std::string& group : offsets.table().groups()) {
      for (TopicPartition& partition : PartitionsOf(offsets.table(), group)) {
        if (partition.topic == topic)
          committed[group].push_back(std::move(partition));
      }
    }
    return absl::OkStatus();
  });
  for (const auto& [group, partitions] : committed) {
    absl::Status deleted = Delete(group, partitions, Durability::kSynced);
    // Somebody else may have deleted them.
    if (!absl::IsNotFound(deleted)) status.Update(deleted);
  }
  return status;
}

void CommittedOffsets::CheckAll() {
  absl::Status status = partitions_.ForEach([this](OffsetLog& offsets) {
    for (const std::string& group : offsets.table().groups()) {
      for (const TopicPartition& partition :
           PartitionsOf(offsets.table(), group)) {
        absl::Status checked = CheckOffset(offsets, group, partition);
        if (checked.ok()) continue;
        AddNote(
            absl::StrCat(Quoted(group), ": not checked: ", checked.message()));
      }
    }
    return absl::OkStatus();
  });
  if (!status.ok()) AddNote(std::string(status.message()));
}

// Needs the lock of the slot that `offsets` are of.
absl::Status CommittedOffsets::CheckOffset(OffsetLog& offsets,
                                           std::string_view group,
                                           const TopicPartition& partition) {
  const OffsetTable::Entry* entry = offsets.table().Find(group, partition);
  if (entry == nullptr || entry->checked == OffsetTable::Checked::kYes)
    return absl::OkStatus();
  const std::string bytes = entry->value;  // the table may change below
  absl::StatusOr<OffsetCommitValue> value = ParseOffsetCommitValue(bytes);
  // Whoever asks for it gets that error.
  if (!value.ok()) return absl::OkStatus();
  absl::StatusOr<std::shared_ptr<PartitionLog>> data =
      store_->OpenPartition(partition.topic, partition.partition);
  if (!data.ok()) return data.status();
  // An epoch that the log does not know of was lost with all its records.
  const int64_t end = (*data)
                          ->EpochEndOffset(value->leader_epoch)
                          .value_or((*data)->visible_end());
  if (value->offset <= end) {
    offsets.SetChecked(group, partition);
    return absl::OkStatus();
  }
  return SetBack(offsets,
                 {.group = group,
                  .topic = partition.topic,
                  .partition = partition.partition},
                 *value, std::max(end, (*data)->log_start()), **data);
}

absl::Status CommittedOffsets::SetBack(OffsetLog& offsets,
                                       const OffsetCommitKey& key,
                                       const OffsetCommitValue& old,
                                       int64_t end, PartitionLog& data) {
  absl::StatusOr<OffsetCommitValue> value =
      ValueAt(data, end, Durability::kSynced);
  if (!value.ok()) return value.status();
  value->metadata = old.metadata;
  const OffsetLog::Change change = {.key = key, .value = *value};
  absl::Status status = offsets.Append({change}, NowMs(), Durability::kSynced);
  if (status.ok()) status = offsets.log()->Sync();
  if (!status.ok()) return status;
  AddNote(absl::StrCat(Quoted(key.group), ", ", key.topic, ", partition ",
                       key.partition, ": offset ", old.offset,
                       " was committed in leader epoch ", old.leader_epoch,
                       ", of which the log has kept what is before ", end,
                       ": the group goes on there"));
  return absl::OkStatus();
}

int64_t CommittedOffsets::NowMs() const {
  return AppendTimeMs(
      absl::ToUnixMillis(store_->options().environment.clock->Now()));
}

void CommittedOffsets::AddNote(std::string note) {
  absl::MutexLock lock(&mu_);
  if (notes_.size() < kNotesMax) {
    notes_.push_back(std::move(note));
  } else {
    ++more_notes_;
  }
}

std::vector<std::string> CommittedOffsets::notes() const {
  absl::MutexLock lock(&mu_);
  std::vector<std::string> notes = notes_;
  if (more_notes_ > 0) {
    notes.push_back(absl::StrCat(kConsumerOffsetsTopic, ": and ", more_notes_,
                                 " more findings"));
  }
  return notes;
}

}  // namespace varve
