// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_FOUND_STORE_H_
#define VARVE_API_FOUND_STORE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "api/store_checkpoint.h"
#include "api/topic_administration.h"
#include "api/topic_catalog.h"
#include "log/file_system.h"

namespace varve {

// What an open finds in the store's own files.
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
// version wrote a file; those of the directory and of the files.
absl::StatusOr<FoundStore> FindStore(Directory& directory);

}  // namespace varve

#endif  // VARVE_API_FOUND_STORE_H_
