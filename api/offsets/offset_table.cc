// SPDX-License-Identifier: Apache-2.0

#include "varve/api/offsets/offset_table.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/committed_offset.h"
#include "varve/log/metadata/offset_commit_record.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {

absl::Status OffsetTable::Apply(std::optional<std::string_view> key,
                                std::optional<std::string_view> value,
                                Checked checked) {
  if (!key.has_value()) return absl::DataLossError("a record without a key");
  absl::StatusOr<std::optional<OffsetCommitKey>> parsed =
      ParseOffsetCommitKey(*key);
  if (!parsed.ok() || !parsed->has_value()) return parsed.status();
  const OffsetCommitKey& commit = **parsed;
  TopicPartition partition = {.topic = std::string(commit.topic),
                              .partition = commit.partition};
  if (!value.has_value()) {
    PutOffset(commit.group, std::move(partition), std::nullopt);
    return absl::OkStatus();
  }
  const absl::StatusOr<OffsetCommitValue> read = ParseOffsetCommitValue(*value);
  Entry entry = {.value = std::string(*value), .checked = checked};
  if (read.ok()) entry.topic_id = read->topic_id;
  PutOffset(commit.group, std::move(partition), std::move(entry));
  return read.status();
}

// Without an entry it removes the one that is there.
void OffsetTable::PutOffset(std::string_view group, TopicPartition partition,
                            std::optional<Entry> entry) {
  auto found = groups_.find(group);
  if (found == groups_.end()) {
    if (!entry.has_value()) return;
    found = groups_.emplace(std::string(group), Group()).first;
  }
  Group& offsets = found->second;
  if (auto old = offsets.find(partition); old != offsets.end()) {
    --offset_count_;
    if (!entry.has_value()) offsets.erase(old);
  }
  if (entry.has_value()) {
    ++offset_count_;
    offsets.insert_or_assign(std::move(partition), *std::move(entry));
  }
  if (offsets.empty()) groups_.erase(found);
}

const OffsetTable::Group* OffsetTable::Find(std::string_view group) const {
  auto it = groups_.find(group);
  return it == groups_.end() ? nullptr : &it->second;
}

const OffsetTable::Entry* OffsetTable::Find(
    std::string_view group, const TopicPartition& partition) const {
  const Group* offsets = Find(group);
  if (offsets == nullptr) return nullptr;
  auto it = offsets->find(partition);
  return it == offsets->end() ? nullptr : &it->second;
}

OffsetTable::Entry& OffsetTable::At(std::string_view group,
                                    const TopicPartition& partition) {
  auto found = groups_.find(group);
  CHECK(found != groups_.end());
  auto it = found->second.find(partition);
  CHECK(it != found->second.end());
  return it->second;
}

void OffsetTable::SetTopicId(std::string_view group,
                             const TopicPartition& partition,
                             TopicId topic_id) {
  Entry& entry = At(group, partition);
  absl::StatusOr<OffsetCommitValue> value = ParseOffsetCommitValue(entry.value);
  CHECK(value.ok()) << value.status();
  value->topic_id = topic_id;
  entry.value = FormatOffsetCommitValue(*value);
  entry.topic_id = topic_id;
}

void OffsetTable::SetChecked(std::string_view group,
                             const TopicPartition& partition) {
  At(group, partition).checked = Checked::kYes;
}

std::vector<std::string> OffsetTable::groups() const {
  std::vector<std::string> names;
  names.reserve(groups_.size());
  for (const auto& [name, offsets] : groups_) names.push_back(name);
  return names;
}

void OffsetTable::ForEachOffset(
    absl::FunctionRef<void(const std::string& group, const TopicPartition&,
                           const Entry&)>
        take,
    int64_t max) const {
  for (const auto& [group, offsets] : groups_) {
    for (const auto& [partition, entry] : offsets) {
      if (--max < 0) return;
      take(group, partition, entry);
    }
  }
}

}  // namespace varve
