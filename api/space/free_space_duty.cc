// SPDX-License-Identifier: Apache-2.0

#include "varve/api/space/free_space_duty.h"

#include <stop_token>
#include <string>

#include "absl/base/log_severity.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "varve/api/duty/duty_notices.h"
#include "varve/api/store_options.h"
#include "varve/log/system/clock.h"
#include "varve/log/system/log_sink.h"

namespace varve {

absl::Time FreeSpaceDuty::Run(const std::stop_token& stop) {
  Look();
  TellChanges();
  if (work_.guard->TakeRetentionWanted()) {
    if (!work_.run_retention(stop)) work_.guard->WantRetention();
    Look();
    TellChanges();
  }
  return work_.environment.clock->Steady() +
         (work_.guard->state().is_low ? kLookIntervalLow : kLookInterval);
}

// A failure is reported once, until a look succeeds again.
void FreeSpaceDuty::Look() {
  const absl::Status status = work_.guard->Look();
  if (!status.ok() && !failing_) {
    NoteDutyFailure(work_.environment, *work_.meters,
                    "free_space_floor_bytes: free bytes are not known", status);
  }
  failing_ = !status.ok();
}

void FreeSpaceDuty::TellChanges() {
  for (const FreeSpaceChange& change : work_.guard->TakeChanges()) {
    Tell(change);
    if (work_.on_change != nullptr) work_.on_change(change);
  }
}

void FreeSpaceDuty::Tell(const FreeSpaceChange& change) const {
  const bool refused = change.kind == FreeSpaceChange::Kind::kAppendsRefused;
  const std::string text = absl::StrCat(
      work_.guard->path(), ": the disk has ", change.free_bytes,
      " bytes free: appends that need more of it ",
      refused ? absl::StrCat("are refused, since free_space_floor_bytes is ",
                             change.floor_bytes, ", until ",
                             change.resume_bytes, " bytes are free")
              : "go on");
  work_.environment.Log({.severity = refused ? absl::LogSeverity::kError
                                             : absl::LogSeverity::kWarning,
                         .event = LogEvent::kBackground,
                         .path = work_.guard->path(),
                         .text = text,
                         .code = refused ? absl::StatusCode::kResourceExhausted
                                         : absl::StatusCode::kOk});
}

}  // namespace varve
