// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_DURABILITY_H_
#define VARVE_LOG_DURABILITY_H_

namespace varve {

// What an append promises when it returns OK.
//
//            returns when                  kill -9   power loss
// kMemory    the batch is visible          nothing   an unsynced suffix may go;
//                                          is lost   never a gap or wrong byte
// kInterval  as kMemory; a timer syncs,    nothing   at most the last
//            also when idle                is lost   StoreOptions::sync_interval
// kSynced    a sync covers the batch, its  nothing   nothing is lost
//            directory entries included    is lost
//
// Power loss: given a disk that keeps what it says it has flushed.
enum class Durability { kMemory, kInterval, kSynced };

}  // namespace varve

#endif  // VARVE_LOG_DURABILITY_H_
