// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_DURABILITY_H_
#define VARVE_LOG_DURABILITY_H_

namespace varve {

// What an append promises when it returns OK.
//
// kMemory: the batch is visible. kill -9 loses nothing. A power loss may take
// an unsynced suffix of the log; never a gap, never a wrong byte.
//
// kInterval: as kMemory, and a timer syncs, also when the log is idle; appends
// wait when the unsynced ones are older than StoreOptions::sync_interval. A
// power loss takes at most the appends of that time.
//
// kSynced: a completed sync covers the batch, directory entries included. A
// power loss takes nothing.
//
// Power loss: given a disk that keeps what it says it has flushed.
enum class Durability { kMemory, kInterval, kSynced };

}  // namespace varve

#endif  // VARVE_LOG_DURABILITY_H_
