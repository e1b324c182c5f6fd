// SPDX-License-Identifier: Apache-2.0

// A StoreStat for a person, and for a machine.

#ifndef VARVE_TOOLS_MONITOR_STORE_STAT_TEXT_H_
#define VARVE_TOOLS_MONITOR_STORE_STAT_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "varve/log/metadata/partition_stats.h"
#include "varve/tools/monitor/store_stat.h"
#include "varve/tools/shell/record_json.h"

namespace varve {

std::string ToText(const StoreStat& stat);
Json ToJson(const StoreStat& stat);

// The fields of one partition, as the JSON of stat and describe has them.
Json ToJson(int32_t partition, const PartitionStats& stats);
// "2026-11-20T10:00:00.123Z", "-" for nothing.
std::string StatTimeText(std::optional<absl::Time> time);
// The highest leader epoch, "-" without any.
std::string EpochText(const PartitionStats& stats);

}  // namespace varve

#endif  // VARVE_TOOLS_MONITOR_STORE_STAT_TEXT_H_
