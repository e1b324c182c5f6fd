// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_QUICKSTART_QUICKSTART_GROUP_H_
#define VARVE_TOOLS_QUICKSTART_QUICKSTART_GROUP_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "varve/tools/quickstart/quickstart_page.h"

namespace varve {

struct QuickstartGroup {
  std::string directory;
  std::string topic;
  int32_t partition_count = 1;
  int64_t record_count = 0;  // in all partitions, at least
};

// A step of the quickstart: a process that reads as a consumer group is killed,
// and another reads on from what it committed. Prints what happened.
//
// Errors: those of RunAndKill and LogStore; DataLoss when a record was left
// out.
//
// Precondition: that of RunAndKill.
absl::Status ShowKilledGroup(const QuickstartGroup& group,
                             QuickstartPage& page);

}  // namespace varve

#endif  // VARVE_TOOLS_QUICKSTART_QUICKSTART_GROUP_H_
