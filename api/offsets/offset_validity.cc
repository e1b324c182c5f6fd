// SPDX-License-Identifier: Apache-2.0

#include "varve/api/offsets/offset_validity.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "varve/api/offsets/offset_table.h"
#include "varve/log/metadata/log_bounds.h"
#include "varve/log/metadata/offset_commit_record.h"
#include "varve/log/metadata/topic_id.h"

namespace varve {

OffsetOwner OwnerOf(const OffsetTable::Entry& entry, TopicId named) {
  if (!entry.topic_id.has_value() || !entry.topic_id->is_none() ||
      named.is_none()) {
    return entry.topic_id;
  }
  const absl::StatusOr<OffsetCommitValue> value =
      ParseOffsetCommitValue(entry.value);
  const std::optional<int64_t> created_ms = named.created_ms();
  const bool is_its_own =
      value.ok() &&
      (!created_ms.has_value() || *created_ms <= value->commit_timestamp_ms);
  return is_its_own ? named : entry.topic_id;
}

bool OffsetCounts(const OffsetOwner& owner, TopicId named) {
  return !named.is_none() && owner.value_or(named) == named;
}

bool OffsetIsShown(const OffsetOwner& owner, TopicId named,
                   absl::FunctionRef<bool(TopicId)> is_forgetting) {
  // It cannot be read, so its topic is not known.
  if (!owner.has_value()) return true;
  if (!named.is_none()) return *owner == named;
  return !is_forgetting(*owner);
}

std::optional<int64_t> SetBackOffset(int64_t offset,
                                     std::optional<int64_t> epoch_end,
                                     const LogBounds& bounds) {
  const int64_t end = epoch_end.value_or(bounds.visible_end);
  if (offset <= end) return std::nullopt;
  return std::max(end, bounds.log_start);
}

}  // namespace varve
