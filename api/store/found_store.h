// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_STORE_FOUND_STORE_H_
#define VARVE_API_STORE_FOUND_STORE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/topics/topic_administration.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The contents of the store's own files when it is opened.
struct FoundStore {
  TopicCatalog catalog;
  FoundCheckpoint checkpoint;
  CheckpointState checkpoint_state = CheckpointState::kCurrent;
  bool clean = false;  // the last writer closed it
  std::vector<std::string> notes;
};

// Reads the store's files, which the caller has locked; makes the catalog of a
// new store. What the checkpoint says of partitions that no topic has is left
// out: they were deleted.
//
// Errors: DataLoss when the catalog is damaged; FailedPrecondition when a newer
// version wrote a file; file errors (log/system/errno_status.h).
absl::StatusOr<FoundStore> FindStore(Directory& directory);

}  // namespace varve

#endif  // VARVE_API_STORE_FOUND_STORE_H_
