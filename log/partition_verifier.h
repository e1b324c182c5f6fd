// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PARTITION_VERIFIER_H_
#define VARVE_LOG_PARTITION_VERIFIER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "log/batch_scanner.h"
#include "log/file_system.h"
#include "log/partition_checkpoint.h"
#include "log/segment_verifier.h"
#include "log/topic_id.h"
#include "log/verify_finding.h"

namespace varve {

// What the verification of a partition starts from.
struct PartitionVerifyInputs {
  // What the store's checkpoint says; none: that file is lost, and the ends of
  // the log are not judged.
  std::optional<PartitionCheckpoint> checkpoint = PartitionCheckpoint();
  Continuity continuity = Continuity::kExact;
  LastWriter last_writer = LastWriter::kClosedCleanly;
  // What partition.metadata should say; none: anything.
  std::optional<TopicId> topic_id = {};
  // Called with the bytes looked at since the last call; null is fine.
  std::function<void(int64_t)> progress = nullptr;
};

struct PartitionVerification {
  std::string path = {};  // of the directory
  int64_t log_start = 0;
  int64_t next_offset = 0;  // behind the last record
  VerifyCounts counts = {};
  std::vector<VerifyFinding> findings = {};
};

// Checks the directory of one partition against log/FORMAT.md: its file names,
// its leader epochs and metadata, its segments from the first byte to the last
// (log/segment_verifier.h), and its ends against the checkpoint.
//
// It opens nothing for writing, changes nothing and takes no lock.
//
// Errors: those of listing the directory. Everything else is a finding.
absl::StatusOr<PartitionVerification> VerifyPartition(
    Directory& directory, const PartitionVerifyInputs& inputs);

}  // namespace varve

#endif  // VARVE_LOG_PARTITION_VERIFIER_H_
