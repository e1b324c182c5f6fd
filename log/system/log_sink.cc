// SPDX-License-Identifier: Apache-2.0

#include "varve/log/system/log_sink.h"

#include <string_view>

#include "absl/log/log.h"

namespace varve {

std::string_view LogEventName(LogEvent event) {
  switch (event) {
    case LogEvent::kRecovery:
      return "recovery";
    case LogEvent::kPoisoned:
      return "poisoned";
    case LogEvent::kSlowSync:
      return "slow-sync";
    case LogEvent::kBackground:
      return "background";
    case LogEvent::kRetention:
      return "retention";
    case LogEvent::kConfig:
      return "config";
    case LogEvent::kClose:
      return "close";
  }
  return "";
}

void SendTo(const LogSink& sink, const LogMessage& message) {
  if (sink) {
    sink(message);
    return;
  }
  LOG(LEVEL(message.severity)) << "varve: " << message.text;
}

}  // namespace varve
