// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/dump/offset_commit_dump.h"

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/offset_commit_record.h"
#include "varve/tools/dump/dump_sink.h"
#include "varve/tools/shell/record_json.h"

namespace varve {
namespace {

void AddRecord(const RecordView& record, DumpSink& sink) {
  Json fields = Json::object();
  SetRecord(fields, record);
  sink.Add("  record", fields);
}

// Prints a record that could not be decoded, and why.
void AddUndecoded(const RecordView& record, int64_t position,
                  const absl::Status& status, DumpSink& sink) {
  AddRecord(record, sink);
  if (absl::IsUnimplemented(status)) {
    sink.Add("  note", {{"what", std::string(status.message())}});
  } else {
    sink.AddDamage(position, absl::StrCat("offset ", record.offset(), ": ",
                                          status.message()));
  }
}

Json KeyFields(const RecordView& record, const OffsetCommitKey& key) {
  Json fields = {{"offset", record.offset()},
                 {"timestamp", record.timestamp_ms()}};
  SetBytes(fields, "group", key.group);
  SetBytes(fields, "topic", key.topic);
  fields["partition"] = key.partition;
  return fields;
}

void SetValue(Json& fields, const OffsetCommitValue& value) {
  fields["committed"] = value.offset;
  fields["leader_epoch"] = value.leader_epoch;
  SetBytes(fields, "metadata", value.metadata);
  fields["commit_timestamp"] = value.commit_timestamp_ms;
  fields["commit_time"] = absl::FormatTime(
      "%Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixMillis(value.commit_timestamp_ms),
      absl::UTCTimeZone());
  if (value.expire_timestamp_ms.has_value()) {
    fields["expire_timestamp"] = *value.expire_timestamp_ms;
  }
  if (!value.topic_id.is_none()) {
    fields["topic_id"] = value.topic_id.ToText();
  }
}

}  // namespace

void DumpOffsetCommit(const RecordView& record, int64_t position,
                      DumpSink& sink) {
  if (!record.key().has_value()) {
    AddUndecoded(record, position, absl::DataLossError("its key is null"),
                 sink);
    return;
  }
  const absl::StatusOr<std::optional<OffsetCommitKey>> key =
      ParseOffsetCommitKey(*record.key());
  if (!key.ok()) {
    AddUndecoded(record, position, key.status(), sink);
    return;
  }
  if (!key->has_value()) {
    // The coordinator's own: a group and its members.
    AddRecord(record, sink);
    return;
  }
  Json fields = KeyFields(record, **key);
  if (!record.value().has_value()) {
    sink.Add("  tombstone", fields);
    return;
  }
  const absl::StatusOr<OffsetCommitValue> value =
      ParseOffsetCommitValue(*record.value());
  if (!value.ok()) {
    AddUndecoded(record, position, value.status(), sink);
    return;
  }
  SetValue(fields, *value);
  sink.Add("  commit", fields);
}

}  // namespace varve
