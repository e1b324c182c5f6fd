// SPDX-License-Identifier: Apache-2.0

#include "varve/api/offsets/offset_answers.h"

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "varve/api/committed_offset.h"
#include "varve/api/offsets/group_id.h"
#include "varve/api/offsets/offset_table.h"
#include "varve/log/metadata/offset_commit_record.h"

namespace varve {

absl::StatusOr<OffsetAndMetadata> OffsetAnswer(
    std::string_view group, const TopicPartition& partition,
    const OffsetTable::Entry& entry) {
  absl::StatusOr<OffsetCommitValue> value = ParseOffsetCommitValue(entry.value);
  if (!value.ok()) {
    return absl::Status(
        value.status().code(),
        absl::StrCat(QuotedGroup(group), ", ", partition.topic, ", partition ",
                     partition.partition, ": ", value.status().message()));
  }
  return OffsetAndMetadata{
      .offset = value->offset,
      .leader_epoch = value->leader_epoch,
      .metadata = std::string(value->metadata),
      .commit_time = absl::FromUnixMillis(value->commit_timestamp_ms)};
}

absl::Status NoOffsetError(std::string_view group,
                           const TopicPartition& partition) {
  return absl::NotFoundError(
      absl::StrCat(QuotedGroup(group), ": no offset is committed for ",
                   partition.topic, ", partition ", partition.partition));
}

absl::Status NoGroupError(std::string_view group) {
  return absl::NotFoundError(
      absl::StrCat(QuotedGroup(group), ": it has committed no offset"));
}

}  // namespace varve
