// SPDX-License-Identifier: Apache-2.0

#include "varve/log/partition/partition_notices.h"

#include <string>

#include "absl/base/log_severity.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "varve/log/meters/stop_watch.h"
#include "varve/log/partition/log_meters.h"
#include "varve/log/partition/partition_meters.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/log_sink.h"

namespace varve {

void NotePoisoned(PartitionMeters& meters, const Environment& environment,
                  const std::string& path, const absl::Status& status) {
  meters.store().poisoned_partitions.Add();
  const std::string text =
      absl::StrCat(path, ": takes no appends until the store is opened again: ",
                   status.ToString());
  environment.Log({.severity = absl::LogSeverity::kError,
                   .event = LogEvent::kPoisoned,
                   .path = path,
                   .text = text,
                   .code = status.code()});
}

void NoteSync(PartitionMeters& meters, const Environment& environment,
              const std::string& path,
              const PartitionMeters::Unsynced& unsynced,
              const StopWatch& watch) {
  const absl::Duration time = meters.NoteSync(unsynced, watch);
  if (time < kSlowSync) return;
  const std::string text =
      absl::StrCat(path, ": a sync took ", absl::FormatDuration(time));
  environment.Log({.severity = absl::LogSeverity::kWarning,
                   .event = LogEvent::kSlowSync,
                   .path = path,
                   .text = text});
}

void TellNotClosed(const Environment& environment, const std::string& path) {
  const std::string text =
      absl::StrCat(path, ": destroyed without Close; it will be recovered");
  environment.Log({.severity = absl::LogSeverity::kError,
                   .event = LogEvent::kClose,
                   .path = path,
                   .text = text});
}

}  // namespace varve
