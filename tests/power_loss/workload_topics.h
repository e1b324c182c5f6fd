// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_POWER_LOSS_WORKLOAD_TOPICS_H_
#define VARVE_TESTS_POWER_LOSS_WORKLOAD_TOPICS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "varve/api/topic_config.h"
#include "varve/api/topic_description.h"
#include "varve/log/metadata/durability.h"

namespace varve {

// The topics of a power-loss campaign. They are known by numbers, which fit
// into a note: those below kLastingTopics stay as long as the store, one for
// each level of durability and two for all, of which one is compacted; the
// others are created and deleted.
//
// A topic's configs say which of its name it is, and how often it was altered:
// delete.retention.ms, which does nothing without tombstones, and
// segment.jitter.ms, which does little to segment.ms.
inline constexpr int32_t kLastingTopics = 5;
inline constexpr int32_t kLastingPartitions = 2;  // at first
inline constexpr int32_t kPartitionsMax = 5;

// Names of the topics that one session makes and deletes.
inline constexpr int32_t kPassingTopics = 3;  // at a time
inline constexpr int32_t PassingTopic(int32_t session, int32_t slot) {
  return 100 * session + 10 + slot;
}
bool IsPassingTopic(int32_t name);

std::string TopicText(int32_t name);
// Nothing for a topic of the store's own.
std::optional<int32_t> TopicNumber(std::string_view text);

// The level of a lasting topic's appends; any, by `random`, for the last two.
Durability LevelOf(int32_t name, uint64_t random);

// The config of a new topic, and the text of what its nth alteration sets.
TopicConfig ConfigOf(int32_t name, int32_t instance, uint64_t random);
std::string SegmentBytesOf(int64_t alteration);

bool IsCompacted(const TopicDescription& topic);
int32_t InstanceOf(const TopicDescription& topic);
int64_t AlterationOf(const TopicDescription& topic);

}  // namespace varve

#endif  // VARVE_TESTS_POWER_LOSS_WORKLOAD_TOPICS_H_
