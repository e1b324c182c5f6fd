// SPDX-License-Identifier: Apache-2.0

// The data that `varve stat` shows of a store.

#ifndef VARVE_TOOLS_MONITOR_STORE_STAT_H_
#define VARVE_TOOLS_MONITOR_STORE_STAT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/api/read_only_store.h"
#include "varve/log/metadata/partition_stats.h"
#include "varve/tools/monitor/writer_holdings.h"
#include "varve/tools/shell/command_line.h"
#include "varve/tools/shell/topic_target.h"

namespace varve {

struct PartitionStat {
  int32_t partition = 0;
  PartitionStats stats = {};
  std::optional<Holding> holding = {};  // nothing: not known
};

// The compression.type of a topic that keeps batches as they come.
inline constexpr std::string_view kDefaultCompressionType = "producer";

struct TopicStat {
  std::string topic;
  std::vector<PartitionStat> partitions = {};
  // Its config compression.type, as text; nothing in a broker's directory,
  // which does not say it. Batches that were appended before it was set may be
  // compressed in another way.
  std::optional<std::string> compression_type = {};
  // Its config min.cleanable.dirty.ratio, if it is compacted.
  std::optional<double> min_dirty_ratio = {};
};

struct StoreStat {
  absl::Time taken_at;
  WriterHoldings writer = {};
  std::vector<TopicStat> topics = {};
  // Errors of partitions that could not be read; `topics` has the others.
  std::vector<absl::Status> failures = {};
};

enum class InternalTopics { kInclude, kExclude };

// Reads the state of the partitions asked for; of all, without `targets`.
//
// Errors: NotFound and OutOfRange for a target that does not exist; those of
// ReadOnlyStore::ListTopics.
absl::StatusOr<StoreStat> CollectStoreStat(
    const ReadOnlyStore& store, const GlobalOptions& global,
    const std::vector<TopicTarget>& targets, InternalTopics internal);

}  // namespace varve

#endif  // VARVE_TOOLS_MONITOR_STORE_STAT_H_
