// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SYNC_PENDING_SYNC_H_
#define VARVE_LOG_SYNC_PENDING_SYNC_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "varve/log/producer_state/partition_producers.h"
#include "varve/log/segment/segment.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The files that a sync has to cover so that everything appended to a
// partition, up to `end_offset`, is durable. It is a copy: the partition's
// writer keeps its own until the sync is over, so a sync that ends half-way
// loses nothing.
struct PendingSync {
  bool directory = false;                             // names were created
  std::vector<std::shared_ptr<Segment>> sealed = {};  // with their indexes
  std::shared_ptr<Segment> active = {};               // null: none
  // Of the producers, in the order in which they fell due.
  std::vector<std::shared_ptr<const DueProducerFiles>> producer_files = {};
  int64_t end_offset = 0;

  // Syncs all of it, in the order of the offsets, after it has written the
  // files of the producers; and writes the sidecars of the sealed segments, if
  // there is room for them.
  //
  // Errors: ResourceExhausted when descriptors, memory or disk ran out before
  // or between the syncs: nothing was lost, and the next call continues where
  // this one ended. Any other: a sync failed, or the contents of the files are
  // unknown. It is not tried again: the partition is poisoned.
  absl::Status Sync(Directory& in) const;
};

}  // namespace varve

#endif  // VARVE_LOG_SYNC_PENDING_SYNC_H_
