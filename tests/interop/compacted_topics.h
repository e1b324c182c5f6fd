// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_INTEROP_COMPACTED_TOPICS_H_
#define VARVE_TESTS_INTEROP_COMPACTED_TOPICS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/interop/store_writer.h"
#include "varve/log/metadata/log_config.h"

namespace varve {

// A topic of one partition that is compacted several times, with appends
// before each of them.
struct CompactedTopic {
  std::string name;
  LogConfig config = {};  // while it is appended to
  // Which batch comes next: called for each round from 0 on, in order, it
  // returns the same at each run.
  std::function<BatchPlan(int round)> plan = nullptr;
  // What other configs it has while it is compacted, by Kafka's names.
  std::vector<std::pair<std::string, std::string>> compacted_with = {};
  int64_t map_bytes = int64_t{1} << 20;
  int64_t log_start = 0;  // it is trimmed up to there
};

// How many compactions there are, and how many rounds come before each.
inline constexpr int kRoundsBefore[] = {180, 60, 40, 40, 40, 40};

// The topics, whose records have times from `start_ms` on. Where a batch may
// be old or young, it is an hour younger from the round `kYoungFrom` on.
inline constexpr int kYoungFrom = 90;
std::vector<CompactedTopic> CompactedTopics(int64_t start_ms);

// One that a broker has written, and that is only compacted here.
CompactedTopic ImportedTopic(const std::string& name);

}  // namespace varve

#endif  // VARVE_TESTS_INTEROP_COMPACTED_TOPICS_H_
