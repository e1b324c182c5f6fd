// SPDX-License-Identifier: Apache-2.0

// Writing to __consumer_offsets below the public interface, which does not let
// programs write there.

#ifndef VARVE_TESTS_CONSUMER_OFFSETS_APPEND_H_
#define VARVE_TESTS_CONSUMER_OFFSETS_APPEND_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/group_id.h"
#include "api/store_state.h"
#include "log/durability.h"
#include "log/encoded_batch.h"
#include "log/partition_log.h"

namespace varve {

// Appends the batch where Kafka keeps what `group` commits, durably. The store
// in `path` must be closed, and is again.
inline absl::Status AppendToConsumerOffsets(const std::string& path,
                                            std::string_view group,
                                            const EncodedBatch& batch) {
  auto state = StoreState::Open(path, {});
  if (!state.ok()) return state.status();
  auto log = (*state)->OpenPartition("__consumer_offsets",
                                     PartitionForGroup(group, 50));
  if (!log.ok()) return log.status();
  const absl::Status appended =
      (*log)->Append(batch, Durability::kSynced).status();
  const absl::Status closed = (*state)->Close();
  return appended.ok() ? closed : appended;
}

}  // namespace varve

#endif  // VARVE_TESTS_CONSUMER_OFFSETS_APPEND_H_
