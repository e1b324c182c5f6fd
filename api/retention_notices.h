// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_RETENTION_NOTICES_H_
#define VARVE_API_RETENTION_NOTICES_H_

#include <cstdint>
#include <string_view>

#include "log/environment.h"
#include "log/partition_log.h"

namespace varve {

// The name of the log's directory, without the store's: "orders-0".
std::string_view DirectoryNameOf(const PartitionLog& log);

// Tells the log sink which records retention has given up, if any: those from
// `log_start_before` to before the log start of now.
void TellGivenUp(const Environment& environment, const PartitionLog& log,
                 int64_t log_start_before);

}  // namespace varve

#endif  // VARVE_API_RETENTION_NOTICES_H_
