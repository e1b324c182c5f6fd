// SPDX-License-Identifier: Apache-2.0

#include "varve/api/groups/group_lags.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "varve/api/groups/offset_log.h"
#include "varve/api/offsets/group_id.h"
#include "varve/api/store/store_state.h"
#include "varve/api/store_metrics.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/partition/partition_log.h"

namespace varve {
namespace {

// Records of Kafka's may have any bytes for a group's id; a label has UTF-8.
bool CanBeLabel(const OffsetLog::Position& position) {
  return position.group.size() <= kGroupLagIdSizeMax &&
         ValidateGroupId(position.group).ok();
}

std::optional<int64_t> LagOf(const StoreState& store,
                             const OffsetLog::Position& position) {
  const auto& [topic, partition] = position.partition;
  const std::shared_ptr<PartitionLog> log = store.OpenedLog(topic, partition);
  if (log == nullptr) return std::nullopt;
  // Asked after the log was found: ids are not used again, so it is this
  // topic's.
  const TopicId named = store.topics().catalog().IdOf(topic);
  if (named.is_none() || named != position.topic_id) return std::nullopt;
  // An offset that a power loss has left past the end is set back when it is
  // used.
  return std::max(log->visible_end() - position.offset, int64_t{0});
}

}  // namespace

void AddGroupLags(const StoreState& store,
                  const std::vector<const OffsetLog*>& logs,
                  StoreMetrics& metrics) {
  std::vector<OffsetLog::Position> positions;
  int64_t offsets = 0;
  int64_t left = kGroupLagsMax;
  for (const OffsetLog* log : logs) {
    const int64_t there = log->Positions(left, positions);
    offsets += there;
    left -= std::min(left, there);
  }
  metrics.unseen_group_offsets = std::max(offsets - kGroupLagsMax, int64_t{0});
  for (OffsetLog::Position& position : positions) {
    const std::optional<int64_t> lag =
        CanBeLabel(position) ? LagOf(store, position) : std::nullopt;
    if (!lag.has_value()) continue;
    metrics.group_lags.push_back({.group = std::move(position.group),
                                  .partition = std::move(position.partition),
                                  .offset = position.offset,
                                  .lag = *lag});
  }
}

}  // namespace varve
