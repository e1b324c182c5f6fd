// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_PARTITIONS_RETENTION_NOTICES_H_
#define VARVE_API_PARTITIONS_RETENTION_NOTICES_H_

#include <cstdint>
#include <string_view>

#include "varve/log/partition/partition_log.h"
#include "varve/log/system/environment.h"

namespace varve {

// The name of the log's directory, without the store's: "orders-0".
std::string_view DirectoryNameOf(const PartitionLog& log);

// Reports to the log sink which records retention has given up, if any: those
// from `log_start_before` to before the current log start.
void TellGivenUp(const Environment& environment, const PartitionLog& log,
                 int64_t log_start_before);

}  // namespace varve

#endif  // VARVE_API_PARTITIONS_RETENTION_NOTICES_H_
