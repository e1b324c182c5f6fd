// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SYSTEM_LOG_SINK_H_
#define VARVE_LOG_SYSTEM_LOG_SINK_H_

#include <functional>
#include <string_view>

#include "absl/base/log_severity.h"
#include "absl/status/status.h"

namespace varve {

// What a message is about, for programs that sort or count them.
enum class LogEvent {
  kRecovery,    // what an open found that was not as it should be
  kPoisoned,    // a sync or a write failed: the partition takes no more
  kSlowSync,    // a sync took long
  kBackground,  // work of a duty thread failed, and is tried again
  kRetention,   // segments were deleted because they were old or too many
  kConfig,      // a topic's config asks for what this version does not do
  kClose,       // a close that was not clean
};

// "recovery", "poisoned" …
std::string_view LogEventName(LogEvent event);

// One message. Its views are valid only during the call.
struct LogMessage {
  absl::LogSeverity severity = absl::LogSeverity::kInfo;
  LogEvent event = LogEvent::kBackground;
  // The directory of the store or the partition, or the file it is about.
  std::string_view path = {};
  // A text for a person, complete without the fields above: what, where and
  // why. No byte of a record is ever in it.
  std::string_view text = {};
  // The code of the reported failure; kOk when there was none.
  absl::StatusCode code = absl::StatusCode::kOk;
};

// Takes the messages of varve that no call returns. It is called from any
// thread, the program's or varve's own, with locks held: it must not call back
// into the store (a deadlock), block for long, or throw. It is not called any
// more once the store and its handles are destroyed.
using LogSink = std::function<void(const LogMessage&)>;

// Gives the message to the sink, or, without one, to Abseil's log.
void SendTo(const LogSink& sink, const LogMessage& message);

}  // namespace varve

#endif  // VARVE_LOG_SYSTEM_LOG_SINK_H_
