// SPDX-License-Identifier: Apache-2.0

#include "varve/api/groups/committed_offsets.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "varve/api/catalog/stored_catalog.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/committed_offset.h"
#include "varve/api/groups/group_lags.h"
#include "varve/api/groups/offset_log.h"
#include "varve/api/groups/offset_notes.h"
#include "varve/api/groups/offset_partitions.h"
#include "varve/api/offsets/group_id.h"
#include "varve/api/offsets/offset_answers.h"
#include "varve/api/offsets/offset_table.h"
#include "varve/api/store/open_topic_partition.h"
#include "varve/api/store/store_state.h"
#include "varve/api/store_metrics.h"
#include "varve/log/batch/record_timestamp.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/offset_commit_record.h"
#include "varve/log/partition/partition_log.h"

namespace varve {
namespace {

using MissingTopic = OffsetPartitions::MissingTopic;
using Slot = OffsetPartitions::Slot;

// Whether this is about an offset, what it is or where it belongs. Any other
// error, such as that of a disk, is the call's.
bool IsRefusal(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsNotFound(status) ||
         absl::IsOutOfRange(status);
}

// Adds a refusal where it belongs in the order of the call.
void Refuse(const OffsetCommit& commit, size_t index, absl::Status reason,
            OffsetCommitReport& report) {
  const auto after = std::upper_bound(
      report.refused.begin(), report.refused.end(), index,
      [](size_t i, const RefusedOffset& other) { return i < other.index; });
  report.refused.insert(after,
                        {.index = index,
                         .partition = {.topic = std::string(commit.topic),
                                       .partition = commit.partition},
                         .reason = std::move(reason)});
}

// Whether a call with these refusals commits its other offsets.
bool GoesOn(const OffsetCommitReport& report,
            const OffsetCommitOptions& options) {
  return report.refused.empty() ||
         options.on_refused == OnRefusedOffset::kCommitOthers;
}

}  // namespace

CommittedOffsets::CommittedOffsets(StoreState* store)
    : store_(store),
      identity_(store, &notes_),
      check_(store, &notes_),
      partitions_(
          store, [this](std::string note) { notes_.Add(std::move(note)); },
          [this](OffsetLog& offsets) { identity_.Adopt(offsets, NowMs()); }) {}

absl::Status CommittedOffsets::Commit(std::string_view group,
                                      absl::Span<const OffsetCommit> commits,
                                      Durability durability) {
  absl::StatusOr<OffsetCommitReport> report =
      TryCommit(group, commits, {.durability = durability});
  if (!report.ok()) return report.status();
  if (report->refused.empty()) return absl::OkStatus();
  return report->refused.front().reason;
}

absl::StatusOr<OffsetCommitReport> CommittedOffsets::TryCommit(
    std::string_view group, absl::Span<const OffsetCommit> commits,
    const OffsetCommitOptions& options) {
  if (absl::Status status = ValidateGroupId(group); !status.ok()) return status;
  OffsetCommitReport report;
  const absl::StatusOr<std::vector<GoodOffset>> good = GoodOf(commits, report);
  if (!good.ok()) return good.status();
  Changes changes;
  std::vector<size_t> indexes;  // of the changes, in `commits`
  for (const GoodOffset& offset : *good) {
    // Nothing is synced for a call that commits nothing.
    if (!GoesOn(report, options)) return report;
    const OffsetCommit& commit = commits[offset.index];
    absl::StatusOr<OffsetCommitValue> value =
        check_.ValueOf(commit, offset.data, options.durability);
    if (!value.ok()) {
      // The topic was deleted meanwhile.
      if (!IsRefusal(value.status())) return value.status();
      Refuse(commit, offset.index, value.status(), report);
      continue;
    }
    changes.push_back({.key = {.group = group,
                               .topic = commit.topic,
                               .partition = commit.partition},
                       .value = *value});
    indexes.push_back(offset.index);
  }
  if (changes.empty() || !GoesOn(report, options)) return report;
  absl::StatusOr<Slot*> slot =
      partitions_.OfGroup(group, MissingTopic::kCreate);
  if (!slot.ok()) return slot.status();
  std::shared_ptr<PartitionLog> log;
  {
    absl::MutexLock lock(&(*slot)->mu);
    OffsetLog& offsets = *(*slot)->offsets;
    log = offsets.log();
    RefuseDeleted(commits, changes, indexes, report);
    if (changes.empty() || !GoesOn(report, options)) return report;
    absl::Status status = offsets.Append(changes, NowMs(), options.durability);
    if (!status.ok()) return status;
  }
  report.committed = std::ssize(changes);
  if (options.durability != Durability::kSynced) return report;
  // The lock is not held here, so that commits made meanwhile share the next
  // sync.
  if (absl::Status status = log->Sync(); !status.ok()) return status;
  return report;
}

// Refuses what cannot be committed, and returns the rest.
absl::StatusOr<std::vector<CommittedOffsets::GoodOffset>>
CommittedOffsets::GoodOf(absl::Span<const OffsetCommit> commits,
                         OffsetCommitReport& report) const {
  std::vector<GoodOffset> good;
  for (size_t i = 0; i < commits.size(); ++i) {
    absl::StatusOr<TopicPartitionLog> data = check_.PartitionOf(commits[i]);
    if (data.ok()) {
      good.push_back({.index = i, .data = *std::move(data)});
      continue;
    }
    if (!IsRefusal(data.status())) return data.status();
    Refuse(commits[i], i, data.status(), report);
  }
  return good;
}

// Takes out the changes of topics that are not there any more. Called with the
// slot's lock held, so that a commit for a deleted topic does not replace one
// for a new topic of its name.
void CommittedOffsets::RefuseDeleted(absl::Span<const OffsetCommit> commits,
                                     Changes& changes,
                                     std::vector<size_t>& indexes,
                                     OffsetCommitReport& report) const {
  const StoredCatalog& catalog = store_->topics().catalog();
  Changes kept;
  std::vector<size_t> kept_indexes;
  for (size_t i = 0; i < changes.size(); ++i) {
    const OffsetCommitKey& key = changes[i].key;
    if (catalog.IdOf(key.topic) == changes[i].value->topic_id) {
      kept.push_back(changes[i]);
      kept_indexes.push_back(indexes[i]);
      continue;
    }
    Refuse(commits[indexes[i]], indexes[i],
           absl::NotFoundError(absl::StrCat(
               "topic \"", key.topic,
               "\" was deleted while an offset was committed for it")),
           report);
  }
  changes = std::move(kept);
  indexes = std::move(kept_indexes);
}

void CommittedOffsets::AddLags(StoreMetrics& metrics) const {
  AddGroupLags(*store_, partitions_.loaded(), metrics);
}

absl::StatusOr<OffsetAndMetadata> CommittedOffsets::Find(std::string_view group,
                                                         std::string_view topic,
                                                         int32_t partition) {
  if (absl::Status status = ValidateGroupId(group); !status.ok()) return status;
  if (auto data = store_->OpenPartition(topic, partition); !data.ok())
    return data.status();
  const TopicPartition where = {.topic = std::string(topic),
                                .partition = partition};
  absl::StatusOr<Slot*> slot = partitions_.OfGroup(group, MissingTopic::kFail);
  if (absl::IsNotFound(slot.status())) return NoOffsetError(group, where);
  if (!slot.ok()) return slot.status();
  absl::MutexLock lock(&(*slot)->mu);
  OffsetLog& offsets = *(*slot)->offsets;
  absl::Status status = check_.Run(offsets, group, where);
  if (!status.ok()) return status;
  const OffsetTable::Entry* entry = offsets.table().Find(group, where);
  if (entry == nullptr || !identity_.Counts(topic, entry->topic_id))
    return NoOffsetError(group, where);
  return OffsetAnswer(group, where, *entry);
}

absl::StatusOr<std::vector<std::string>> CommittedOffsets::ListGroups() {
  std::vector<std::string> groups;
  absl::Status status = partitions_.ForEach([&](OffsetLog& offsets) {
    for (std::string& group : offsets.table().groups()) {
      if (identity_.IsShown(*offsets.table().Find(group)))
        groups.push_back(std::move(group));
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  std::sort(groups.begin(), groups.end());
  return groups;
}

std::vector<TopicPartition> CommittedOffsets::ShownOf(
    const OffsetTable& table, std::string_view group) const {
  std::vector<TopicPartition> partitions;
  if (const OffsetTable::Group* offsets = table.Find(group)) {
    for (const auto& [partition, entry] : *offsets) {
      if (identity_.IsShown(partition.topic, entry))
        partitions.push_back(partition);
    }
  }
  return partitions;
}

absl::StatusOr<std::vector<GroupOffset>> CommittedOffsets::Describe(
    std::string_view group) {
  if (absl::Status status = ValidateGroupId(group); !status.ok()) return status;
  absl::StatusOr<Slot*> slot = partitions_.OfGroup(group, MissingTopic::kFail);
  if (absl::IsNotFound(slot.status())) return NoGroupError(group);
  if (!slot.ok()) return slot.status();
  absl::MutexLock lock(&(*slot)->mu);
  OffsetLog& offsets = *(*slot)->offsets;
  std::vector<GroupOffset> described;
  for (const TopicPartition& partition : ShownOf(offsets.table(), group)) {
    absl::StatusOr<GroupOffset> one = DescribeOffset(offsets, group, partition);
    if (!one.ok()) return one.status();
    described.push_back(*std::move(one));
  }
  if (described.empty()) return NoGroupError(group);
  return described;
}

// The partition's bounds are given only if the offset belongs to its topic.
absl::StatusOr<GroupOffset> CommittedOffsets::DescribeOffset(
    OffsetLog& offsets, std::string_view group,
    const TopicPartition& partition) {
  absl::StatusOr<TopicPartitionLog> data =
      OpenTopicPartition(*store_, partition.topic, partition.partition);
  if (data.ok()) {
    absl::Status status = check_.Run(offsets, group, partition);
    if (!status.ok()) return status;
  }
  const OffsetTable::Entry& entry = *offsets.table().Find(group, partition);
  absl::StatusOr<OffsetAndMetadata> committed =
      OffsetAnswer(group, partition, entry);
  if (!committed.ok()) return committed.status();
  GroupOffset described = {.partition = partition,
                           .committed = *std::move(committed)};
  if (data.ok() && entry.topic_id == data->topic_id) {
    described.log_start = data->log->log_start();
    described.log_end = data->log->visible_end();
  }
  return described;
}

absl::Status CommittedOffsets::Delete(
    std::string_view group, absl::Span<const TopicPartition> partitions,
    Durability durability) {
  if (absl::Status status = ValidateGroupId(group); !status.ok()) return status;
  absl::StatusOr<Slot*> slot = partitions_.OfGroup(group, MissingTopic::kFail);
  if (absl::IsNotFound(slot.status())) return NoGroupError(group);
  if (!slot.ok()) return slot.status();
  std::shared_ptr<PartitionLog> log;
  {
    absl::MutexLock lock(&(*slot)->mu);
    OffsetLog& offsets = *(*slot)->offsets;
    log = offsets.log();
    for (const TopicPartition& partition : partitions) {
      const OffsetTable::Entry* entry = offsets.table().Find(group, partition);
      if (entry == nullptr || !identity_.IsShown(partition.topic, *entry))
        return NoOffsetError(group, partition);
    }
    absl::Status status = DeleteAll(group, partitions, offsets, durability);
    if (!status.ok()) return status;
  }
  return durability == Durability::kSynced ? log->Sync() : absl::OkStatus();
}

absl::Status CommittedOffsets::DeleteGroup(std::string_view group,
                                           Durability durability) {
  if (absl::Status status = ValidateGroupId(group); !status.ok()) return status;
  absl::StatusOr<Slot*> slot = partitions_.OfGroup(group, MissingTopic::kFail);
  if (absl::IsNotFound(slot.status())) return NoGroupError(group);
  if (!slot.ok()) return slot.status();
  std::shared_ptr<PartitionLog> log;
  {
    absl::MutexLock lock(&(*slot)->mu);
    OffsetLog& offsets = *(*slot)->offsets;
    log = offsets.log();
    const std::vector<TopicPartition> shown = ShownOf(offsets.table(), group);
    if (shown.empty()) return NoGroupError(group);
    absl::Status status = DeleteAll(group, shown, offsets, durability);
    if (!status.ok()) return status;
  }
  return durability == Durability::kSynced ? log->Sync() : absl::OkStatus();
}

absl::Status CommittedOffsets::DeleteAll(
    std::string_view group, absl::Span<const TopicPartition> partitions,
    OffsetLog& offsets, Durability durability) {
  Changes changes;
  changes.reserve(partitions.size());
  for (const TopicPartition& partition : partitions) {
    changes.push_back({.key = {.group = group,
                               .topic = partition.topic,
                               .partition = partition.partition},
                       .value = std::nullopt});
  }
  return offsets.AppendInParts(changes, NowMs(), durability);
}

absl::Status CommittedOffsets::ForgetTopic(const Topic& deleted) {
  std::vector<std::shared_ptr<PartitionLog>> changed;
  absl::Status status = partitions_.ForEach([&](OffsetLog& offsets) {
    const std::vector<OffsetLog::Owned> gone =
        identity_.OffsetsOf(deleted, offsets.table());
    Changes changes;
    changes.reserve(gone.size());
    for (const OffsetLog::Owned& offset : gone) {
      changes.push_back({.key = {.group = offset.group,
                                 .topic = offset.partition.topic,
                                 .partition = offset.partition.partition},
                         .value = std::nullopt});
    }
    if (!changes.empty()) changed.push_back(offsets.log());
    return offsets.AppendInParts(changes, NowMs(), Durability::kSynced);
  });
  for (const std::shared_ptr<PartitionLog>& log : changed)
    status.Update(log->Sync());
  return status;
}

void CommittedOffsets::CheckAll() {
  absl::Status status = partitions_.ForEach([this](OffsetLog& offsets) {
    CheckAllOf(offsets);
    return absl::OkStatus();
  });
  if (!status.ok()) notes_.Add(std::string(status.message()));
}

void CommittedOffsets::CheckAllOf(OffsetLog& offsets) {
  for (const std::string& group : offsets.table().groups()) {
    for (const TopicPartition& partition : ShownOf(offsets.table(), group)) {
      absl::Status checked = check_.Run(offsets, group, partition);
      if (checked.ok()) continue;
      notes_.Add(absl::StrCat(QuotedGroup(group),
                              ": not checked: ", checked.message()));
    }
  }
}

int64_t CommittedOffsets::NowMs() const {
  return AppendTimeMs(
      absl::ToUnixMillis(store_->options().environment.clock->Now()));
}

}  // namespace varve
