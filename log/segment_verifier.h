// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SEGMENT_VERIFIER_H_
#define VARVE_LOG_SEGMENT_VERIFIER_H_

#include <cstdint>
#include <functional>
#include <optional>

#include "log/file_system.h"
#include "log/leader_epochs.h"
#include "log/partition_checkpoint.h"
#include "log/verify_finding.h"

namespace varve {

// How the last process that wrote to a store left it.
enum class LastWriter {
  kClosedCleanly,  // every file is trimmed, and everything is durable
  kDied,           // the next open recovers
  kStillOpen,      // its files are changing while they are looked at
};

// What a verification has gone through.
struct VerifyCounts {
  int64_t segments = 0;
  int64_t batches = 0;
  int64_t records = 0;
  int64_t bytes = 0;  // of batches
  int64_t index_entries = 0;
};

struct SegmentVerifyInputs {
  int64_t base_offset = 0;
  // The base offset of the segment behind this one, if there is one.
  std::optional<int64_t> next_base_offset = {};
  LastWriter last_writer = LastWriter::kClosedCleanly;
  PartitionOutline outline = {};
  const LeaderEpochs* epochs = nullptr;  // null: epochs are not checked
  // Called with the bytes looked at since the last call; null is fine.
  std::function<void(int64_t)> progress = nullptr;
};

// Checks one segment: every batch and record in it, how batches follow each
// other and lead to the next segment, and every entry of its indexes. Reads
// only; maps nothing. Returns the next offset behind its last good batch.
//
// What recovery would cut without a loss (a torn tail, zeros that were
// allocated ahead) is a note, or nothing at all.
int64_t VerifySegment(Directory& directory, const SegmentVerifyInputs& inputs,
                      VerifyCounts& counts, FindingList& findings);

}  // namespace varve

#endif  // VARVE_LOG_SEGMENT_VERIFIER_H_
