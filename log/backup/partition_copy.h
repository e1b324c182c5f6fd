// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BACKUP_PARTITION_COPY_H_
#define VARVE_LOG_BACKUP_PARTITION_COPY_H_

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "varve/log/backup/file_copy.h"
#include "varve/log/batch/codecs.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/read_only/read_only_log.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/partition_verification.h"

namespace varve {

struct PartitionCopyInputs {
  TopicId topic_id = {};
  LogConfig config = {};           // for the indexes that are made again
  const Codecs* codecs = nullptr;  // to verify compressed batches; borrowed
  // Reads what the source's own files say of the partition. NotFound: its topic
  // is deleted.
  std::function<absl::StatusOr<PartitionFacts>(FactsAge)> facts = nullptr;
  // Called with the bytes copied or kept since the last call; those that are
  // copied once more count once.
  CopyProgress progress = nullptr;
};

struct PartitionCopy {
  // What the destination's checkpoint has to say of it: everything in the copy
  // is below the recovery point.
  PartitionCheckpoint checkpoint = {};
  // What was found in the copy, from its first byte to its last, and what
  // recovery cut off. Damage is the source's, unless the destination's disk
  // does not give back what it got.
  PartitionVerification verification = {};
  int64_t copied_bytes = 0;  // of .log files
  int64_t kept_bytes = 0;    // of those that were there already
};

// Copies a partition's log from the directory `source` to the directory
// `destination`, whether or not the source has a writer, in this process or
// another: takes no lock, and changes nothing there.
//
// The copy is what a clean close leaves. It begins at the log start that the
// source had, or, if that is trimmed meanwhile, at the first segment that was
// still there; it has no gap, and ends at or after what was visible when the
// call began: also what its writer had not yet synced, or given a name
// (log/FORMAT.md, "Ready segments"). An append that was under way may be left
// out, and so may what came after it. Of a source whose writer died, the copy
// holds what its recovery would keep, damage below the recovery point included;
// a torn tail is left out. Where that recovery would cut whole batches off, the
// copy ends, too; that is damage, and the batches are in `cut-…` files beside
// it. The copy is another incarnation of the log: its first append begins a
// leader epoch of its own.
//
// How: the files are copied as they are (log/backup/partition_files_copy.h); if
// the source has changed meanwhile, it all begins anew. Then the copy is
// recovered like a log whose program was killed, by log/recovery, and verified,
// by log/verification. Where recovery cuts whole batches, the source is looked
// at again, which tells damage from what was just being written. Damage counts
// when it is there after the segments that have it were copied a second time.
//
// Segments that the destination has already are kept where their sidecars are
// those of the source; of the source's segments nothing else is read then.
// Segments that have to make room for the copy are put aside until it is found
// to be without damage, and stay there if it is not
// (log/backup/earlier_segments.h); but those that the source has trimmed are
// removed, and so are other files. On return the copy is durable. It may be
// interrupted anywhere and repeated.
//
// Errors: NotFound when the topic is deleted meanwhile; Unavailable when the
// source changes faster than it can be copied; file errors of either directory
// (log/system/errno_status.h). The destination is not to be used then.
absl::StatusOr<PartitionCopy> CopyPartition(Directory& source,
                                            Directory& destination,
                                            const PartitionCopyInputs& inputs);

}  // namespace varve

#endif  // VARVE_LOG_BACKUP_PARTITION_COPY_H_
