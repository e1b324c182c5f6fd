// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_STORE_COMPACT_TOPIC_H_
#define VARVE_API_STORE_COMPACT_TOPIC_H_

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "varve/api/compaction/topic_compaction.h"
#include "varve/api/store/store_state.h"

namespace varve {

// LogStore::CompactTopic, which has the contract.
//
// Precondition: the caller has entered the store's calls.
absl::StatusOr<std::vector<PartitionCompacted>> CompactTopicOf(
    StoreState& store, std::string_view name, const CompactOptions& options);

}  // namespace varve

#endif  // VARVE_API_STORE_COMPACT_TOPIC_H_
