// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_RECOVERY_SEGMENT_REBUILD_H_
#define VARVE_LOG_RECOVERY_SEGMENT_REBUILD_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/recovery/partition_recovery_report.h"
#include "varve/log/segment/segment_indexes.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Makes the indexes and the sidecar of a segment again from its batches, for
// recovery. Both may be missing, so a failure is a note in the report.
//
// Borrows the directory, the config and the report, which must outlive it.
//
// Thread safety: externally synchronized.
class SegmentRebuild {
 public:
  // `log_path` is that of the segment's .log, for messages. It removes the old
  // indexes.
  SegmentRebuild(Directory& directory, const LogConfig& config,
                 int64_t base_offset, std::string log_path,
                 PartitionRecoveryReport& report);

  // Adds the next batch, which is at `position`.
  void Add(const RecordBatch& batch, int64_t position);

  // Puts the indexes into their final form, synced.
  void FinishIndexes();

  // Writes the sidecar of a .log of `size` bytes, or removes it if the .log
  // does not end with the last batch. Call it last.
  //
  // Errors: file errors of removing it (log/system/errno_status.h).
  absl::Status PutSidecar(int64_t size);
  absl::Status DropSidecar();

 private:
  void ReadOldSidecar();
  void AddToSidecar(const RecordBatch& batch);
  void CreateIndexes();
  void DropIndexes(const absl::Status& reason);

  Directory& directory_;
  const LogConfig& config_;
  const int64_t base_offset_;
  const std::string log_path_;
  PartitionRecoveryReport& report_;
  std::optional<SegmentSidecar> old_sidecar_;
  SegmentSidecar sidecar_;  // of the batches so far
  std::unique_ptr<SegmentIndexes> indexes_;
};

}  // namespace varve

#endif  // VARVE_LOG_RECOVERY_SEGMENT_REBUILD_H_
