// SPDX-License-Identifier: Apache-2.0

// Migration. Copies all topics of a store into another one, which may have
// topics of its own, and compares them. Batches are taken as they are, so keys,
// values, headers, timestamps, order and offsets stay, and groups go on where
// they were. The source may be written meanwhile. A run that was stopped is run
// again: it goes on where the destination ends.
//
//   migration SOURCE DESTINATION
//
// (For the copy of a whole store to a new directory: varve::BackUpStore.)

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/cursor.h"
#include "varve/api/log_store.h"

namespace {

// Of the source only what no power loss can replace by something else.
constexpr varve::CursorOptions kDurable = {
    .reset = varve::OffsetReset::kEarliest,
    .read = {.level = varve::ReadLevel::kDurable}};

// The configs under which batches are neither refused, nor stamped with the
// time of the copy, nor deleted before they are compared.
varve::LogConfig Unlimited(varve::LogConfig config) {
  config.message_timestamp_type = varve::TimestampType::kCreateTime;
  config.message_timestamp_before_max_ms = varve::LogConfig::kForever;
  config.message_timestamp_after_max_ms = varve::LogConfig::kForever;
  config.max_message_bytes = varve::kBatchSizeMax;
  config.retention_bytes = -1;
  config.retention_ms = -1;
  return config;
}

// Has the log go on at `offset`, after batches without records, as compaction
// leaves them.
absl::Status SkipTo(int64_t offset, varve::Partition& to) {
  varve::RecordBatchBuilder nothing;
  while (to.visible_end() < offset) {
    const int64_t count = std::min<int64_t>(
        offset - to.visible_end(), std::numeric_limits<int32_t>::max());
    auto gap = nothing.FinishAs(
        {.last_offset_delta = static_cast<int32_t>(count - 1)});
    if (!gap.ok()) return gap.status();
    auto where = to.Append(*gap, varve::Durability::kMemory);
    if (!where.ok()) return where.status();
  }
  return absl::OkStatus();
}

// Copies what the destination has not, and returns how many batches that was.
absl::StatusOr<int64_t> Copy(const varve::ReadOnlyPartition& from,
                             varve::Partition& to) {
  const absl::StatusOr<int64_t> start = from.log_start();
  if (!start.ok()) return start.status();
  varve::Cursor cursor(from, std::max(*start, to.visible_end()), kDurable);
  int64_t count = 0;
  while (const varve::RecordBatches* batches = cursor.NextBatches()) {
    for (const varve::RecordBatch batch : *batches) {
      if (absl::Status s = SkipTo(batch.base_offset(), to); !s.ok()) return s;
      if (to.visible_end() != batch.base_offset())
        return absl::AlreadyExistsError("the destination has other records");
      // A power loss leaves a part that the next run goes on from, so that one
      // sync at the end is enough.
      auto where = to.Append(varve::EncodedBatch::Unchecked(batch),
                             varve::Durability::kMemory);
      if (!where.ok()) return where.status();
      ++count;
    }
  }
  if (!cursor.status().ok()) return cursor.status();
  // The copy begins where the source does, which may be within a batch.
  if (absl::Status s = SkipTo(*start, to); !s.ok()) return s;
  if (absl::Status s = to.TrimBefore(*start); !s.ok()) return s;
  return count;
}

// All of a batch but its offset and epoch, which the store sets.
std::string_view Content(const varve::RecordBatch& batch) {
  return batch.bytes().substr(varve::batch_layout::kMagic);
}

absl::Status Compare(const varve::ReadOnlyPartition& from,
                     const varve::Partition& to) {
  varve::Cursor cursor(from, to.log_start(), kDurable);
  while (const varve::RecordBatches* batches = cursor.NextBatches()) {
    for (const varve::RecordBatch batch : *batches) {
      const int64_t offset = std::max(batch.base_offset(), to.log_start());
      if (offset >= to.visible_end()) return absl::OkStatus();  // it came later
      // One batch.
      auto copy = to.Read(
          offset, {.max_bytes = 0, .level = varve::ReadLevel::kVisible});
      if (!copy.ok()) return copy.status();
      const varve::RecordBatch copied = *copy->begin();
      if (copied.base_offset() != batch.base_offset() ||
          Content(copied) != Content(batch)) {
        return absl::DataLossError(absl::StrCat(to.topic(), "-", to.index(),
                                                " differs at offset ", offset));
      }
    }
  }
  return cursor.status();
}

// A topic that was not finished has no retention until a next run finishes it.
absl::Status Migrate(const varve::ReadOnlyStore& source,
                     const varve::TopicDescription& topic,
                     varve::LogStore& destination) {
  varve::TopicConfig config = topic.config;
  config.log = Unlimited(topic.config.log);
  absl::Status status = destination.CreateTopic(topic.name, config);
  if (absl::IsAlreadyExists(status)) {
    status = destination.AlterTopic(
        topic.name, {.set = config.log.All(), .partitions = config.partitions});
  }
  if (!status.ok()) return status;
  int64_t batches = 0;
  for (int32_t i = 0; i < config.partitions; ++i) {
    auto from = source.partition(topic.name, i);
    if (!from.ok()) return from.status();
    auto to = destination.partition(topic.name, i);
    if (!to.ok()) return to.status();
    auto copied = Copy(*from, *to);
    if (!copied.ok()) return copied.status();
    if (status = Compare(*from, *to); !status.ok()) return status;
    batches += *copied;
  }
  std::cout << topic.name << ": " << batches << " batches copied, all equal\n";
  return destination.AlterTopic(topic.name, {.set = topic.config.log.All()});
}

// Groups go on where they are in the source. An offset is refused that is
// before the log start, and so is one past what was copied, until the next run.
absl::Status MoveGroup(const varve::ReadOnlyStore& source,
                       const std::string& group, varve::LogStore& destination) {
  auto offsets = source.DescribeGroup(group);
  if (!offsets.ok()) return offsets.status();
  std::vector<varve::OffsetCommit> commits;
  for (const varve::GroupOffset& offset : *offsets) {
    commits.push_back({.topic = offset.partition.topic,
                       .partition = offset.partition.partition,
                       .offset = offset.committed.offset,
                       .metadata = offset.committed.metadata});
  }
  return destination
      .TryCommitOffsets(group, commits,
                        {.on_refused = varve::OnRefusedOffset::kCommitOthers})
      .status();
}

absl::Status Run(const std::string& from, const std::string& to) {
  auto source = varve::LogStore::OpenReadOnly(from);
  if (!source.ok()) return source.status();
  auto topics = (*source)->ListTopics();
  if (!topics.ok()) return topics.status();
  auto groups = (*source)->ListGroups();
  if (!groups.ok()) return groups.status();
  auto destination = varve::LogStore::Open(to);
  if (!destination.ok()) return destination.status();
  absl::Status status;
  for (const varve::TopicDescription& topic : *topics) {
    if (status.ok() && !topic.is_internal())
      status = Migrate(**source, topic, **destination);
  }
  if (status.ok()) status = (*destination)->SyncAll();
  for (const std::string& group : *groups) {
    if (status.ok()) status = MoveGroup(**source, group, **destination);
  }
  status.Update((*destination)->Close());
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "migration SOURCE DESTINATION\n";
    return 2;
  }
  const absl::Status status = Run(argv[1], argv[2]);
  if (!status.ok()) std::cerr << status << '\n';
  return status.ok() ? 0 : 1;
}
