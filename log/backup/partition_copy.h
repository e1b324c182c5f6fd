// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_BACKUP_PARTITION_COPY_H_
#define VARVE_LOG_BACKUP_PARTITION_COPY_H_

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "varve/log/backup/file_copy.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/read_only/read_only_log.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/partition_verification.h"

namespace varve {

struct PartitionCopyInputs {
  TopicId topic_id = {};
  LogConfig config = {};  // for the indexes that are made again
  // Reads what the source's own files say of the partition. NotFound: its topic
  // is deleted.
  std::function<absl::StatusOr<PartitionFacts>(FactsAge)> facts = nullptr;
  CopyProgress progress = nullptr;
};

struct PartitionCopy {
  // What the destination's checkpoint has to say of it: everything in the copy
  // is below the recovery point.
  PartitionCheckpoint checkpoint = {};
  // What was found in the copy, from its first byte to its last. Damage is the
  // source's, unless the destination's disk does not give back what it got.
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
// what that would set aside is left out. The copy is another incarnation of the
// log: its first append begins a leader epoch of its own.
//
// How: the files are copied as they are, in an order that is right beside a
// writer: first what is known to be durable, then the segments, the ready one
// last. The epochs are read before and after: if they changed, it all begins
// anew. Segments that retention deletes meanwhile, and those before them, are
// left out. Then the copy is recovered like a log whose program was killed, by
// log/recovery, and verified, by log/verification. Damage counts when it is
// there after a second copy.
//
// Segments that the destination has already are kept where they are the same;
// other files in it are removed. On return the copy is durable. It may be
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
