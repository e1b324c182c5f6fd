// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_VERIFICATION_PARTITION_VERIFICATION_H_
#define VARVE_LOG_VERIFICATION_PARTITION_VERIFICATION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "varve/log/verification/verify_finding.h"

namespace varve {

// How the last process that wrote to a store left it.
enum class LastWriter {
  kClosedCleanly,  // every file is trimmed, and everything is durable
  kDied,           // the next open recovers
  kStillOpen,      // its files are changing while they are read
};

// What a verification has read.
struct VerifyCounts {
  int64_t segments = 0;
  int64_t batches = 0;
  int64_t records = 0;
  int64_t bytes = 0;  // of batches
  int64_t index_entries = 0;
};

struct PartitionVerification {
  std::string path = {};  // of the directory
  int64_t log_start = 0;
  int64_t next_offset = 0;  // after the last record
  VerifyCounts counts = {};
  std::vector<VerifyFinding> findings = {};
};

}  // namespace varve

#endif  // VARVE_LOG_VERIFICATION_PARTITION_VERIFICATION_H_
