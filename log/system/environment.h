// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SYSTEM_ENVIRONMENT_H_
#define VARVE_LOG_SYSTEM_ENVIRONMENT_H_

#include <cstdint>
#include <functional>

#include "varve/log/system/clock.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/log_sink.h"

namespace varve {

// The log's outside dependencies: file system, clock, random numbers and log
// sink. File system and clock are not owned; they must outlive every log opened
// with them. All are thread-safe.
struct Environment {
  FileSystem* files = FileSystem::Posix();
  Clock* clock = Clock::Real();
  // Uniform 64-bit random numbers, for topic ids and `segment.jitter.ms`.
  // Default: the operating system's.
  std::function<uint64_t()> random = nullptr;

  // Takes the messages that no call returns. Default: Abseil's log.
  LogSink log_sink = nullptr;

  uint64_t Random() const;

  void Log(const LogMessage& message) const { SendTo(log_sink, message); }
};

}  // namespace varve

#endif  // VARVE_LOG_SYSTEM_ENVIRONMENT_H_
