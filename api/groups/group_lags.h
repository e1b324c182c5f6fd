// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_GROUPS_GROUP_LAGS_H_
#define VARVE_API_GROUPS_GROUP_LAGS_H_

#include <vector>

#include "varve/api/groups/offset_log.h"
#include "varve/api/store/store_state.h"
#include "varve/api/store_metrics.h"

namespace varve {

// Adds to the metrics how far groups are behind, as far as that is known
// without opening or reading anything: of the offsets in `logs` that belong to
// topics there are, in partitions that are open. At most kGroupLagsMax offsets
// are looked at, so the cost is bounded; the others are counted.
//
// Thread safety: thread-safe.
void AddGroupLags(const StoreState& store,
                  const std::vector<const OffsetLog*>& logs,
                  StoreMetrics& metrics);

}  // namespace varve

#endif  // VARVE_API_GROUPS_GROUP_LAGS_H_
