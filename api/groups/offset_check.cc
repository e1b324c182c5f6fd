// SPDX-License-Identifier: Apache-2.0

#include "varve/api/groups/offset_check.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "varve/api/committed_offset.h"
#include "varve/api/groups/offset_log.h"
#include "varve/api/groups/offset_notes.h"
#include "varve/api/offsets/group_id.h"
#include "varve/api/offsets/offset_table.h"
#include "varve/api/offsets/offset_validity.h"
#include "varve/api/store/open_topic_partition.h"
#include "varve/api/store/store_state.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/offset_commit_record.h"

namespace varve {

absl::Status OffsetCheck::Run(OffsetLog& offsets, std::string_view group,
                              const TopicPartition& partition) const {
  const OffsetTable::Entry* entry = offsets.table().Find(group, partition);
  if (entry == nullptr || entry->checked == OffsetTable::Checked::kYes)
    return absl::OkStatus();
  const std::string bytes = entry->value;  // the table may change below
  absl::StatusOr<OffsetCommitValue> value = ParseOffsetCommitValue(bytes);
  // The caller that asks for it gets that error.
  if (!value.ok()) return absl::OkStatus();
  absl::StatusOr<TopicPartitionLog> data =
      OpenTopicPartition(*store_, partition.topic, partition.partition);
  if (!data.ok()) return data.status();
  if (data->topic_id != value->topic_id) return absl::OkStatus();
  const std::optional<int64_t> set_back = SetBackOffset(
      value->offset, data->log->EpochEndOffset(value->leader_epoch),
      {.log_start = data->log->log_start(),
       .visible_end = data->log->visible_end()});
  if (!set_back.has_value()) {
    offsets.SetChecked(group, partition);
    return absl::OkStatus();
  }
  return SetBack(offsets,
                 {.group = group,
                  .topic = partition.topic,
                  .partition = partition.partition},
                 *value, *set_back, *data);
}

absl::StatusOr<TopicPartitionLog> OffsetCheck::PartitionOf(
    const OffsetCommit& commit) const {
  if (commit.metadata.size() > kOffsetMetadataSizeMax) {
    return absl::InvalidArgumentError(
        absl::StrCat(commit.topic, ", partition ", commit.partition,
                     ": metadata of ", commit.metadata.size(), " bytes; ",
                     kOffsetMetadataSizeMax, " is the most"));
  }
  absl::StatusOr<TopicPartitionLog> data =
      OpenTopicPartition(*store_, commit.topic, commit.partition);
  if (!data.ok()) return data.status();
  if (!commit.topic_id.is_none() && commit.topic_id != data->topic_id) {
    return absl::NotFoundError(
        absl::StrCat("topic \"", commit.topic, "\" with the id ",
                     commit.topic_id.ToText(), " was deleted"));
  }
  const int64_t begin = data->log->log_start();
  const int64_t end = data->log->visible_end();
  if (commit.offset < begin || commit.offset > end) {
    return absl::OutOfRangeError(absl::StrCat(
        commit.topic, ", partition ", commit.partition, ": offset ",
        commit.offset, " cannot be committed: the log starts at ", begin,
        " and ends before ", end));
  }
  return data;
}

absl::StatusOr<OffsetCommitValue> OffsetCheck::ValueOf(
    const OffsetCommit& commit, const TopicPartitionLog& data,
    Durability durability) const {
  absl::StatusOr<OffsetCommitValue> value =
      ValueAt(data, commit.offset, durability);
  if (value.ok()) value->metadata = commit.metadata;
  return value;
}

// Without metadata.
absl::StatusOr<OffsetCommitValue> OffsetCheck::ValueAt(
    const TopicPartitionLog& data, int64_t offset,
    Durability durability) const {
  if (durability == Durability::kSynced && offset > data.log->durable_end()) {
    if (absl::Status status = data.log->Sync(); !status.ok()) return status;
  }
  return OffsetCommitValue{
      .offset = offset,
      .leader_epoch = data.log->EpochAt(offset - 1).value_or(-1),
      .metadata = {},
      .commit_timestamp_ms =
          absl::ToUnixMillis(store_->options().environment.clock->Now()),
      .topic_id = data.topic_id};
}

absl::Status OffsetCheck::SetBack(OffsetLog& offsets,
                                  const OffsetCommitKey& key,
                                  const OffsetCommitValue& old, int64_t end,
                                  const TopicPartitionLog& data) const {
  absl::StatusOr<OffsetCommitValue> value =
      ValueAt(data, end, Durability::kSynced);
  if (!value.ok()) return value.status();
  value->metadata = old.metadata;
  const OffsetLog::Change change = {.key = key, .value = *value};
  absl::Status status =
      offsets.Append({change}, value->commit_timestamp_ms, Durability::kSynced);
  if (status.ok()) status = offsets.log()->Sync();
  if (!status.ok()) return status;
  notes_->Add(absl::StrCat(
      QuotedGroup(key.group), ", ", key.topic, ", partition ", key.partition,
      ": offset ", old.offset, " was committed in leader epoch ",
      old.leader_epoch, ", of which the log has kept what is before ", end,
      ": the group goes on there"));
  return absl::OkStatus();
}

}  // namespace varve
