// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PRODUCER_STATE_PRODUCER_LOAD_H_
#define VARVE_LOG_PRODUCER_STATE_PRODUCER_LOAD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "varve/log/producer/producer_states.h"
#include "varve/log/producer_state/producer_replay.h"
#include "varve/log/system/file_system.h"

namespace varve {

// What an open knows of a partition's producers.
struct LoadedProducers {
  ProducerStates states;
  // Of the snapshot that stands for all of the log; none when there is none,
  // or when it is an older one.
  std::optional<int64_t> snapshot_at_end = {};
  // Whether there is any snapshot. Without one, no producer has appended below
  // the last segment that a crash may have left.
  bool has_snapshot = false;
  // Snapshots that stand for nothing that matters any more.
  std::vector<int64_t> stale_snapshots = {};
  // The segments that have a transaction index.
  std::vector<int64_t> transaction_indexes = {};
  std::vector<std::string> notes = {};
};

// The log whose producers are loaded, recovered.
struct LoadedLog {
  ReplayedLog log;
  int64_t log_start = 0;
  int64_t next_offset = 0;
};

// After a clean close: from the newest snapshot, and the batches after it.
// Changes nothing.
//
// Errors: DataLoss for a snapshot that no clean close leaves; file errors.
absl::StatusOr<LoadedProducers> LoadProducers(Directory& directory,
                                              const LoadedLog& log);

// After any other end: from the newest snapshot at or below `scanned_from`, the
// base offset of the first segment that recovery has scanned, and the batches
// from there on. Removes the snapshots that do not stand for this log and those
// that are damaged, makes the transaction indexes of the scanned segments
// again, and writes snapshots of the end and of the base offsets on the way
// that have none: durable after a sync of the directory. Removes what a crash
// has left of such files while they were written. Can be interrupted anywhere
// and repeated.
//
// Errors: ResourceExhausted when there is no room for these files; other file
// errors.
absl::StatusOr<LoadedProducers> RecoverProducers(Directory& directory,
                                                 const LoadedLog& log,
                                                 int64_t scanned_from);

}  // namespace varve

#endif  // VARVE_LOG_PRODUCER_STATE_PRODUCER_LOAD_H_
