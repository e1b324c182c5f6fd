// SPDX-License-Identifier: Apache-2.0

#include "log/partition_notices.h"

#include <string>

#include "absl/base/log_severity.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "log/environment.h"
#include "log/log_meters.h"
#include "log/log_sink.h"
#include "log/partition_meters.h"
#include "log/stop_watch.h"

namespace varve {

void NotePoisoned(PartitionMeters& meters, const Environment& environment,
                  const std::string& path, const absl::Status& status) {
  meters.store().poisoned_partitions.Add();
  const std::string text = absl::StrCat(
      path,
      ": takes no appends until the store is opened anew: ", status.ToString());
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
