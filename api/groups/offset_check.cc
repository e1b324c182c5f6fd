// SPDX-License-Identifier: Apache-2.0

#include "varve/api/groups/offset_check.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "varve/api/committed_offset.h"
#include "varve/api/groups/offset_log.h"
#include "varve/api/groups/offset_notes.h"
#include "varve/api/groups/offset_table.h"
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
  // An epoch that the log does not know of was lost with all its records.
  const int64_t end = data->log->EpochEndOffset(value->leader_epoch)
                          .value_or(data->log->visible_end());
  if (value->offset <= end) {
    offsets.SetChecked(group, partition);
    return absl::OkStatus();
  }
  return SetBack(offsets,
                 {.group = group,
                  .topic = partition.topic,
                  .partition = partition.partition},
                 *value, std::max(end, data->log->log_start()), *data);
}

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
