// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_UNSYNCED_FILES_H_
#define VARVE_LOG_UNSYNCED_FILES_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "log/file_system.h"
#include "log/segment.h"

namespace varve {

// What a sync has to cover for everything that was appended to a partition, up
// to `end_offset`, to be durable. A copy: the partition's writer keeps its own
// until the sync is over, so a sync that ends half-way loses nothing of it.
struct UnsyncedFiles {
  bool directory = false;                             // names were created
  std::vector<std::shared_ptr<Segment>> sealed = {};  // with their indexes
  std::shared_ptr<Segment> active = {};               // null: none
  int64_t end_offset = 0;

  // Syncs all of it, in the order of the offsets, and writes the sidecars of
  // the sealed segments, if there is room for them.
  //
  // Errors: ResourceExhausted when what it needs before and between the syncs
  // ran out: nothing was lost, and the next call goes on where this one ended.
  // Any other: a sync failed, or nobody knows what the files hold. It is not
  // tried again: the partition is poisoned.
  absl::Status Sync(Directory& in) const;
};

}  // namespace varve

#endif  // VARVE_LOG_UNSYNCED_FILES_H_
