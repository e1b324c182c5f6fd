// SPDX-License-Identifier: Apache-2.0

#include "varve/api/partitions/open_partitions.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstdint>

namespace varve {
namespace {

constexpr int64_t kOpenMin = 8;
constexpr int64_t kOpenMax = 4096;
// A partition takes four, and the rest of the process has half.
constexpr int64_t kDescriptorsEach = 8;

}  // namespace

int64_t OpenPartitionsOfProcess() {
  rlimit limit = {};
  // Cannot fail with these arguments.
  (void)getrlimit(RLIMIT_NOFILE, &limit);
  const int64_t descriptors = static_cast<int64_t>(
      std::min<rlim_t>(limit.rlim_cur, rlim_t{kDescriptorsEach} * kOpenMax));
  return std::clamp(descriptors / kDescriptorsEach, kOpenMin, kOpenMax);
}

}  // namespace varve
