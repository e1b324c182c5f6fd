// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_PARTITIONS_OPEN_PARTITIONS_H_
#define VARVE_API_PARTITIONS_OPEN_PARTITIONS_H_

#include <cstdint>

namespace varve {

// How many partitions a store of this process may have active at a time, at
// four descriptors each (the directory, the log and two indexes): as many as an
// eighth of its limit of descriptors, but at least 8 and at most 4,096.
int64_t OpenPartitionsOfProcess();

}  // namespace varve

#endif  // VARVE_API_PARTITIONS_OPEN_PARTITIONS_H_
