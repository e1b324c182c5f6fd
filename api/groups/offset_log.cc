// SPDX-License-Identifier: Apache-2.0

#include "varve/api/groups/offset_log.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "varve/api/offsets/offset_replay.h"
#include "varve/api/offsets/offset_table.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/offset_commit_record.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/partition/partition_log.h"

namespace varve {
namespace {

// Bytes of changes that are appended together, at most, unless a single one is
// larger. It is below the default of max.message.bytes.
constexpr size_t kPartBytes = size_t{256} << 10;
// Bytes that a change takes beside its strings, at most.
constexpr size_t kChangeBytes = 100;

struct EncodedChange {
  std::string key;
  std::optional<std::string> value;
  OffsetTable::Checked checked;
};

EncodedChange Encode(const OffsetLog::Change& change) {
  EncodedChange encoded = {.key = FormatOffsetCommitKey(change.key),
                           .value = std::nullopt,
                           .checked = change.checked};
  if (change.value.has_value())
    encoded.value = FormatOffsetCommitValue(*change.value);
  return encoded;
}

size_t SizeOf(const OffsetLog::Change& change) {
  const size_t metadata =
      change.value.has_value() ? change.value->metadata.size() : 0;
  return kChangeBytes + change.key.group.size() + change.key.topic.size() +
         metadata;
}

// How many of the changes, one at least, are appended together.
size_t CountOfPart(absl::Span<const OffsetLog::Change> changes,
                   size_t bytes_max) {
  size_t bytes = SizeOf(changes[0]);
  size_t count = 1;
  for (; count < changes.size(); ++count) {
    bytes += SizeOf(changes[count]);
    if (bytes > bytes_max) break;
  }
  return count;
}

}  // namespace

absl::StatusOr<std::unique_ptr<OffsetLog>> OffsetLog::Load(
    std::shared_ptr<PartitionLog> log, std::string_view name,
    const Codecs* codecs, const OffsetReplay::Note& note) {
  OffsetTable table;
  OffsetReplay replay(name, &table, codecs, note);
  absl::Status status =
      replay.Run({.begin = log->log_start(), .end = log->visible_end()},
                 [&](int64_t offset, const ReadOptions& options) {
                   return log->Read(offset, options);
                 });
  if (!status.ok()) return status;
  return std::unique_ptr<OffsetLog>(
      new OffsetLog(std::move(log), std::move(table)));
}

void OffsetLog::SetChecked(std::string_view group,
                           const TopicPartition& partition) {
  absl::MutexLock lock(&table_mu_);
  table_.SetChecked(group, partition);
}

int64_t OffsetLog::Positions(int64_t max,
                             std::vector<Position>& positions) const {
  absl::MutexLock lock(&table_mu_);
  table_.ForEachOffset(
      [&](const std::string& group, const TopicPartition& partition,
          const OffsetTable::Entry& entry) {
        const absl::StatusOr<OffsetCommitValue> value =
            ParseOffsetCommitValue(entry.value);
        if (!value.ok()) return;
        positions.push_back({.group = group,
                             .partition = partition,
                             .topic_id = value->topic_id,
                             .offset = value->offset});
      },
      max);
  return table_.offset_count();
}

absl::Status OffsetLog::Append(absl::Span<const Change> changes, int64_t now_ms,
                               Durability durability) {
  // The changes are encoded before the table changes: they may be views into
  // it.
  std::vector<EncodedChange> encoded;
  encoded.reserve(changes.size());
  RecordBatchBuilder builder;
  for (const Change& change : changes) {
    encoded.push_back(Encode(change));
    absl::Status status = builder.Append(
        {.key = encoded.back().key, .value = encoded.back().value}, now_ms);
    if (!status.ok()) return status;
  }
  const absl::StatusOr<AppendResult> appended = log_->Append(
      builder.Finish(),
      durability == Durability::kSynced ? Durability::kMemory : durability);
  if (!appended.ok()) return appended.status();
  {
    absl::MutexLock lock(&table_mu_);
    for (const EncodedChange& change : encoded) {
      const absl::Status status =
          table_.Apply(change.key, change.value, change.checked);
      CHECK(status.ok()) << status;  // it is what was just encoded
    }
  }
  return absl::OkStatus();
}

absl::Status OffsetLog::AppendInParts(absl::Span<const Change> changes,
                                      int64_t now_ms, Durability durability) {
  const size_t bytes_max = std::min(
      kPartBytes, static_cast<size_t>(log_->config().batch_size_max()) / 2);
  while (!changes.empty()) {
    const size_t count = CountOfPart(changes, bytes_max);
    absl::Status status = Append(changes.subspan(0, count), now_ms, durability);
    if (!status.ok()) return status;
    changes.remove_prefix(count);
  }
  return absl::OkStatus();
}

absl::Status OffsetLog::SetTopicIds(absl::Span<const Owned> offsets,
                                    int64_t now_ms) {
  std::vector<std::string> values;  // what the changes are views of
  values.reserve(offsets.size());
  std::vector<Change> changes;
  changes.reserve(offsets.size());
  for (const Owned& offset : offsets) {
    {
      absl::MutexLock lock(&table_mu_);
      table_.SetTopicId(offset.group, offset.partition, offset.topic_id);
    }
    const OffsetTable::Entry& entry =
        *table().Find(offset.group, offset.partition);
    values.push_back(entry.value);
    const absl::StatusOr<OffsetCommitValue> value =
        ParseOffsetCommitValue(values.back());
    CHECK(value.ok()) << value.status();  // it is what was just written
    changes.push_back({.key = {.group = offset.group,
                               .topic = offset.partition.topic,
                               .partition = offset.partition.partition},
                       .value = *value,
                       .checked = entry.checked});
  }
  return AppendInParts(changes, now_ms, Durability::kMemory);
}

}  // namespace varve
