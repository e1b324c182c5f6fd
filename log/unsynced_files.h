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
// to `end_offset`, to be durable.
struct UnsyncedFiles {
  bool directory = false;                             // names were created
  std::vector<std::shared_ptr<Segment>> sealed = {};  // with their indexes
  std::shared_ptr<Segment> active = {};               // null: none
  int64_t end_offset = 0;

  // Syncs all of it, in the order of the offsets, and writes the sidecars of
  // the sealed segments, if there is room for them. It is not tried again after
  // a failure: the partition is poisoned then, and the error is one that does
  // not look like a full disk or a bad argument, which invite another try.
  absl::Status Sync(Directory& in);
};

}  // namespace varve

#endif  // VARVE_LOG_UNSYNCED_FILES_H_
