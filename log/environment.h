// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_ENVIRONMENT_H_
#define VARVE_LOG_ENVIRONMENT_H_

#include <cstdint>
#include <functional>

#include "log/clock.h"
#include "log/file_system.h"
#include "log/log_sink.h"

namespace varve {

// What the log takes from outside: files, time, chance, and somebody who
// listens. Files and clock are not owned; they must outlive every log opened
// with them. All are thread-safe.
struct Environment {
  FileSystem* files = FileSystem::Posix();
  Clock* clock = Clock::Real();
  // Uniform 64-bit random numbers, for topic ids and `segment.jitter.ms`.
  // Default: the operating system's.
  std::function<uint64_t()> random = nullptr;

  // Takes what is told besides returned errors. Default: Abseil's log.
  LogSink log_sink = nullptr;

  uint64_t Random() const;

  void Log(const LogMessage& message) const { SendTo(log_sink, message); }
};

}  // namespace varve

#endif  // VARVE_LOG_ENVIRONMENT_H_
