// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_VERIFICATION_SEGMENT_VERIFIER_H_
#define VARVE_LOG_VERIFICATION_SEGMENT_VERIFIER_H_

#include <cstdint>
#include <functional>
#include <optional>

#include "varve/log/batch/codecs.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/finding_list.h"
#include "varve/log/verification/partition_verification.h"
#include "varve/log/verification/producer_verifier.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {

struct SegmentVerifyInputs {
  int64_t base_offset = 0;
  // The base offset of the segment after this one, if there is one.
  std::optional<int64_t> next_base_offset = {};
  LastWriter last_writer = LastWriter::kClosedCleanly;
  PartitionFacts outline = {};
  const LeaderEpochs* epochs = nullptr;  // null: epochs are not checked
  // How bad it is when an index that is not made again is wrong.
  FindingSeverity index_severity = FindingSeverity::kDamage;
  // Also passed the batches; borrowed. Null: the files that say what producers
  // have done are not checked.
  ProducerVerifier* producers = nullptr;
  const Codecs* codecs = nullptr;  // to look into compressed batches; borrowed
  // Called with the number of bytes read since the last call; may be null.
  std::function<void(int64_t)> progress = nullptr;
};

// Checks one segment: every batch and record in it, how batches follow each
// other and lead to the next segment, every entry of its indexes, and, if it is
// sealed, its sidecar; with `producers`, its transaction index and the
// snapshots of the offsets in it. It reads only, and maps nothing. Returns the
// offset after its last good batch.
//
// Of a compressed batch without its codec it counts the records that the header
// has. One that decompresses to more than the codecs allow is a note.
//
// Bytes that recovery would cut without a loss (a torn tail, zeros that were
// allocated ahead) are a note, or nothing at all.
int64_t VerifySegment(Directory& directory, const SegmentVerifyInputs& inputs,
                      VerifyCounts& counts, FindingList& findings);

}  // namespace varve

#endif  // VARVE_LOG_VERIFICATION_SEGMENT_VERIFIER_H_
