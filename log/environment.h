// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_ENVIRONMENT_H_
#define VARVE_LOG_ENVIRONMENT_H_

#include <cstdint>
#include <functional>

#include "log/clock.h"
#include "log/file_system.h"

namespace varve {

// What the log takes from outside: files, time, chance. None is owned; all
// must outlive every log opened with them, and all are thread-safe.
struct Environment {
  FileSystem* files = FileSystem::Posix();
  Clock* clock = Clock::Real();
  // Uniform 64-bit random numbers, for topic ids and `segment.jitter.ms`.
  // Default: the operating system's.
  std::function<uint64_t()> random = nullptr;

  uint64_t Random() const;
};

}  // namespace varve

#endif  // VARVE_LOG_ENVIRONMENT_H_
