// SPDX-License-Identifier: Apache-2.0

#include "tests/power_loss/workload_topics.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "varve/log/metadata/log_config.h"

namespace varve {
namespace {

constexpr std::array<std::string_view, kLastingTopics> kLastingNames = {
    "synced", "interval", "memory", "mixed", "compacted"};

// Small ones roll all the time; the largest batch fits each of them.
constexpr std::array<int64_t, 4> kSegmentBytes = {8 << 10, 16 << 10, 40'000,
                                                  100'000};

}  // namespace

bool IsPassingTopic(int32_t name) { return name >= kLastingTopics; }

std::string TopicText(int32_t name) {
  if (IsPassingTopic(name)) return absl::StrCat("passing-", name);
  return std::string(kLastingNames[static_cast<size_t>(name)]);
}

std::optional<int32_t> TopicNumber(std::string_view text) {
  for (int32_t i = 0; i < kLastingTopics; ++i) {
    if (text == kLastingNames[static_cast<size_t>(i)]) return i;
  }
  int32_t number = 0;
  if (absl::ConsumePrefix(&text, "passing-") &&
      absl::SimpleAtoi(text, &number)) {
    return number;
  }
  return std::nullopt;
}

Durability LevelOf(int32_t name, uint64_t random) {
  if (name == 0) return Durability::kSynced;
  if (name == 1) return Durability::kInterval;
  if (name == 2) return Durability::kMemory;
  if (random % 20 == 0) return Durability::kSynced;
  return random % 2 == 0 ? Durability::kInterval : Durability::kMemory;
}

TopicConfig ConfigOf(int32_t name, int32_t instance, uint64_t random) {
  TopicConfig config;
  config.partitions = kLastingPartitions;
  config.log.segment_bytes = kSegmentBytes[random % kSegmentBytes.size()];
  config.log.index_interval_bytes = 1000;
  config.log.file_delete_delay_ms = 20;
  config.log.delete_retention_ms = instance;
  if (name == kLastingTopics - 1) {
    config.log.cleanup_policy = CleanupPolicy::kCompact;
    config.log.min_cleanable_dirty_ratio = 0.05;
  }
  return config;
}

std::string SegmentBytesOf(int64_t alteration) {
  const auto chosen = static_cast<size_t>(alteration) % kSegmentBytes.size();
  return absl::StrCat(kSegmentBytes[chosen] + alteration % 100);
}

bool IsCompacted(const TopicDescription& topic) {
  return topic.config.log.cleanup_policy == CleanupPolicy::kCompact;
}

int32_t InstanceOf(const TopicDescription& topic) {
  return static_cast<int32_t>(topic.config.log.delete_retention_ms);
}

int64_t AlterationOf(const TopicDescription& topic) {
  return topic.config.log.segment_jitter_ms;
}

}  // namespace varve
