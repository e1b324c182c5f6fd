// SPDX-License-Identifier: Apache-2.0

// What `varve stat` says of a store.

#ifndef VARVE_TOOLS_STORE_STAT_H_
#define VARVE_TOOLS_STORE_STAT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "api/read_only_store.h"
#include "log/partition_stats.h"
#include "tools/command_line.h"
#include "tools/writer_holdings.h"

namespace varve {

// Which partitions are asked for: TOPIC, or TOPIC:PARTITION.
struct StatTarget {
  std::string topic;
  std::optional<int32_t> partition = {};
};

// Errors: InvalidArgument.
absl::StatusOr<StatTarget> ParseStatTarget(std::string_view text);

struct PartitionStat {
  int32_t partition = 0;
  PartitionStats stats = {};
  std::optional<Holding> holding = {};  // nothing: not known
};

struct TopicStat {
  std::string topic;
  std::vector<PartitionStat> partitions = {};
};

struct StoreStat {
  absl::Time taken_at;
  WriterHoldings writer = {};
  std::vector<TopicStat> topics = {};
  // Of partitions that could not be looked at; the others are there.
  std::vector<absl::Status> failures = {};
};

enum class InternalTopics { kInclude, kExclude };

// Looks at the partitions asked for; at all, without `targets`.
//
// Errors: NotFound and OutOfRange for what was asked for and is not there;
// those of reading the topics.
absl::StatusOr<StoreStat> CollectStoreStat(
    const ReadOnlyStore& store, const GlobalOptions& global,
    const std::vector<StatTarget>& targets, InternalTopics internal);

}  // namespace varve

#endif  // VARVE_TOOLS_STORE_STAT_H_
