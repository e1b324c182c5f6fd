// SPDX-License-Identifier: Apache-2.0

// How a partition's log counts its syncs and failures, and what it logs of
// them.

#ifndef VARVE_LOG_PARTITION_PARTITION_NOTICES_H_
#define VARVE_LOG_PARTITION_PARTITION_NOTICES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "varve/log/meters/stop_watch.h"
#include "varve/log/partition/partition_meters.h"
#include "varve/log/system/environment.h"

namespace varve {

// A sync that took longer is logged: the disk is failing, or very busy.
inline constexpr absl::Duration kSlowSync = absl::Seconds(1);

// Counts and logs that the partition in directory `path` takes no more appends,
// because of `status`.
void NotePoisoned(PartitionMeters& meters, const Environment& environment,
                  const std::string& path, const absl::Status& status);

// Counts a sync of `unsynced` that succeeded, and logs it if it was slow.
void NoteSync(PartitionMeters& meters, const Environment& environment,
              const std::string& path,
              const PartitionMeters::Unsynced& unsynced,
              const StopWatch& watch);

// Logs that the log was destroyed while it was open.
void TellNotClosed(const Environment& environment, const std::string& path);

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_PARTITION_NOTICES_H_
