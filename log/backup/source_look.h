// SPDX-License-Identifier: Apache-2.0

// What the source of a copy has in certain places now, and so whether what is
// wrong in the copy is damage, or comes from copying beside a writer.

#ifndef VARVE_LOG_BACKUP_SOURCE_LOOK_H_
#define VARVE_LOG_BACKUP_SOURCE_LOOK_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/recovery/partition_recovery_report.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The front of a segment's .log that may not be in use yet.
struct SegmentFront {
  std::optional<int64_t> first_offset = {};  // of the whole batch at its front
  // Without one: whether a whole batch follows later.
  bool has_batch_behind = false;
};

// Errors: file errors (log/system/errno_status.h), here and below.
absl::StatusOr<SegmentFront> LookAtFront(File& log);

// Why the recovery of a copy found a whole batch after bytes that are none.
enum class CutCause {
  // The source has a whole batch in that place by now. It was written while the
  // bytes were copied, so it was not visible before, and nor was what follows.
  kCopying,
  kDamage,         // the source is the same there
  kSourceChanged,  // it has no such place any more: copy it anew
};

// `cut` is a finding kCutAmbiguous in the copy of the partition in the
// directory `source`; `epochs` are those by which its batches were judged.
absl::StatusOr<CutCause> FindCutCause(Directory& source,
                                      const RecoveryFinding& cut,
                                      const LeaderEpochs& epochs);

}  // namespace varve

#endif  // VARVE_LOG_BACKUP_SOURCE_LOOK_H_
