// SPDX-License-Identifier: Apache-2.0

// What a partition's log counts and tells the log sink when things go wrong.

#ifndef VARVE_LOG_PARTITION_NOTICES_H_
#define VARVE_LOG_PARTITION_NOTICES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "log/environment.h"
#include "log/partition_meters.h"
#include "log/stop_watch.h"

namespace varve {

// A sync that took longer is told of: the disk is in trouble, or very busy.
inline constexpr absl::Duration kSlowSync = absl::Seconds(1);

// The partition in directory `path` takes no more appends, because of `status`.
void NotePoisoned(PartitionMeters& meters, const Environment& environment,
                  const std::string& path, const absl::Status& status);

// A sync of `unsynced` is over, and succeeded.
void NoteSync(PartitionMeters& meters, const Environment& environment,
              const std::string& path,
              const PartitionMeters::Unsynced& unsynced,
              const StopWatch& watch);

// The log was destroyed while it was open.
void TellNotClosed(const Environment& environment, const std::string& path);

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_NOTICES_H_
