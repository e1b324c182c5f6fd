// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METADATA_DURABILITY_H_
#define VARVE_LOG_METADATA_DURABILITY_H_

namespace varve {

// What an append promises when it returns OK.
//
// kMemory: the batch is visible. kill -9 loses nothing. A power loss may take
// an unsynced suffix of the log; never a gap, never a wrong byte.
//
// kInterval: as kMemory, and a timer syncs, also when the log is idle, from
// half of StoreOptions::sync_interval on; the next append to a partition whose
// window is over waits for its sync. A power loss takes at most the appends of
// that time, given that the disk finishes the syncs that are due in the other
// half; a slower one makes it longer (StoreMetrics::sync_ns).
//
// kSynced: a completed sync covers the batch, directory entries included. A
// power loss takes nothing.
//
// These promises need a disk that keeps the data it reports as flushed.
enum class Durability { kMemory, kInterval, kSynced };

}  // namespace varve

#endif  // VARVE_LOG_METADATA_DURABILITY_H_
