// SPDX-License-Identifier: Apache-2.0

#include "varve/api/groups/offset_identity.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/catalog/stored_catalog.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/committed_offset.h"
#include "varve/api/groups/offset_log.h"
#include "varve/api/groups/offset_notes.h"
#include "varve/api/groups/offset_table.h"
#include "varve/api/store/store_state.h"
#include "varve/log/metadata/offset_commit_record.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {
namespace {

void ForEachOffset(
    const OffsetTable& table,
    absl::FunctionRef<void(const std::string& group, const TopicPartition&,
                           const OffsetTable::Entry&)>
        take) {
  for (const std::string& group : table.groups()) {
    for (const auto& [partition, entry] : *table.Find(group))
      take(group, partition, entry);
  }
}

}  // namespace

bool OffsetIdentity::Counts(std::string_view topic,
                            const OffsetTable::Entry& entry) const {
  const TopicId id = store_->topics().catalog().IdOf(topic);
  return !id.is_none() && entry.topic_id.value_or(id) == id;
}

bool OffsetIdentity::IsShown(std::string_view topic,
                             const OffsetTable::Entry& entry) const {
  // It cannot be read, so its topic is not known.
  if (!entry.topic_id.has_value()) return true;
  const StoredCatalog& catalog = store_->topics().catalog();
  const TopicId id = catalog.IdOf(topic);
  if (!id.is_none()) return *entry.topic_id == id;
  return !catalog.IsForgetting(topic, *entry.topic_id);
}

bool OffsetIdentity::IsShown(const OffsetTable::Group& offsets) const {
  return std::any_of(offsets.begin(), offsets.end(), [&](const auto& offset) {
    return IsShown(offset.first.topic, offset.second);
  });
}

// A topic that does not say when it was made is taken for the older one.
bool OffsetIdentity::IsAdoptable(const OffsetTable::Entry& entry,
                                 TopicId topic) const {
  if (topic.is_none() || !entry.topic_id.has_value() ||
      !entry.topic_id->is_none()) {
    return false;
  }
  const absl::StatusOr<OffsetCommitValue> value =
      ParseOffsetCommitValue(entry.value);
  const std::optional<int64_t> created_ms = topic.created_ms();
  return value.ok() &&
         (!created_ms.has_value() || *created_ms <= value->commit_timestamp_ms);
}

void OffsetIdentity::Adopt(OffsetLog& offsets, int64_t now_ms) const {
  std::vector<OffsetLog::Owned> adopted;
  ForEachOffset(offsets.table(), [&](const std::string& group,
                                     const TopicPartition& partition,
                                     const OffsetTable::Entry& entry) {
    const TopicId id = store_->topics().catalog().IdOf(partition.topic);
    if (IsAdoptable(entry, id)) {
      adopted.push_back(
          {.group = group, .partition = partition, .topic_id = id});
    } else if (!id.is_none() && !Counts(partition.topic, entry)) {
      NoteStranger(group, partition, entry);
    }
  });
  if (adopted.empty()) return;
  const absl::Status status = offsets.SetTopicIds(adopted, now_ms);
  // The next process that reads them tries again.
  if (!status.ok()) {
    store_->NoteFailure("committed offsets were not written with topic ids",
                        status);
  }
}

void OffsetIdentity::NoteStranger(std::string_view group,
                                  const TopicPartition& partition,
                                  const OffsetTable::Entry& entry) const {
  const StoredCatalog& catalog = store_->topics().catalog();
  if (catalog.IsForgetting(partition.topic, *entry.topic_id)) return;
  notes_->Add(absl::StrCat(
      QuotedGroup(group), ", ", partition.topic, ", partition ",
      partition.partition,
      ": what was committed is of another topic of this name, with ",
      entry.topic_id->is_none()
          ? "no id, and older than this one"
          : absl::StrCat("the id ", entry.topic_id->ToText()),
      ": it does not count"));
}

// An offset that still has no id is older than the topic that has the name now.
// One that cannot be read may be that topic's.
bool OffsetIdentity::GoesWith(const Topic& deleted, std::string_view topic,
                              const OffsetTable::Entry& entry) const {
  if (topic != deleted.name) return false;
  if (entry.topic_id == deleted.id) return true;
  if (entry.topic_id.has_value()) return entry.topic_id->is_none();
  return store_->topics().catalog().IdOf(topic).is_none();
}

std::vector<OffsetLog::Owned> OffsetIdentity::OffsetsOf(
    const Topic& deleted, const OffsetTable& table) const {
  std::vector<OffsetLog::Owned> offsets;
  ForEachOffset(
      table, [&](const std::string& group, const TopicPartition& partition,
                 const OffsetTable::Entry& entry) {
        if (!GoesWith(deleted, partition.topic, entry)) return;
        offsets.push_back(
            {.group = group, .partition = partition, .topic_id = deleted.id});
      });
  return offsets;
}

}  // namespace varve
