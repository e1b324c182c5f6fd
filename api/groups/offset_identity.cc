// SPDX-License-Identifier: Apache-2.0

#include "varve/api/groups/offset_identity.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "varve/api/catalog/stored_catalog.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/committed_offset.h"
#include "varve/api/groups/offset_log.h"
#include "varve/api/groups/offset_notes.h"
#include "varve/api/offsets/group_id.h"
#include "varve/api/offsets/offset_table.h"
#include "varve/api/offsets/offset_validity.h"
#include "varve/api/store/store_state.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {

bool OffsetIdentity::Counts(std::string_view topic,
                            const OffsetOwner& owner) const {
  return OffsetCounts(owner, store_->topics().catalog().IdOf(topic));
}

bool OffsetIdentity::IsShown(std::string_view topic,
                             const OffsetTable::Entry& entry) const {
  const StoredCatalog& catalog = store_->topics().catalog();
  return OffsetIsShown(entry.topic_id, catalog.IdOf(topic), [&](TopicId owner) {
    return catalog.IsForgetting(topic, owner);
  });
}

bool OffsetIdentity::IsShown(const OffsetTable::Group& offsets) const {
  return std::any_of(offsets.begin(), offsets.end(), [&](const auto& offset) {
    return IsShown(offset.first.topic, offset.second);
  });
}

void OffsetIdentity::Adopt(OffsetLog& offsets, int64_t now_ms) const {
  std::vector<OffsetLog::Owned> adopted;
  offsets.table().ForEachOffset([&](const std::string& group,
                                    const TopicPartition& partition,
                                    const OffsetTable::Entry& entry) {
    const TopicId id = store_->topics().catalog().IdOf(partition.topic);
    if (OwnerOf(entry, id) != entry.topic_id) {
      adopted.push_back(
          {.group = group, .partition = partition, .topic_id = id});
    } else if (!id.is_none() && !OffsetCounts(entry.topic_id, id)) {
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
  table.ForEachOffset([&](const std::string& group,
                          const TopicPartition& partition,
                          const OffsetTable::Entry& entry) {
    if (!GoesWith(deleted, partition.topic, entry)) return;
    offsets.push_back(
        {.group = group, .partition = partition, .topic_id = deleted.id});
  });
  return offsets;
}

}  // namespace varve
