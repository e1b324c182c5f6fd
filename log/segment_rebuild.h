// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SEGMENT_REBUILD_H_
#define VARVE_LOG_SEGMENT_REBUILD_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "log/file_system.h"
#include "log/log_config.h"
#include "log/record_batch.h"
#include "log/recovery_report.h"
#include "log/segment_indexes.h"
#include "log/segment_sidecar.h"

namespace varve {

// What recovery makes again of a segment from its batches: the indexes and the
// sidecar. Both can be missing; what goes wrong with them is a note in the
// report.
//
// Borrows the directory, the config and the report, which must outlive it.
//
// Thread safety: externally synchronized.
class SegmentRebuild {
 public:
  // `log_path` is that of the segment's .log, for messages. The old indexes are
  // gone after it.
  SegmentRebuild(Directory& directory, const LogConfig& config,
                 int64_t base_offset, std::string log_path,
                 PartitionRecovery& report);

  // Takes in the next batch, which stands at `position`.
  void Add(const RecordBatch& batch, int64_t position);

  // Puts the indexes into their final form, synced.
  void FinishIndexes();

  // Writes the sidecar of a .log of `size` bytes; one that does not end with
  // the last batch loses its own. Comes last.
  //
  // Errors: those of removing it.
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
  PartitionRecovery& report_;
  std::optional<SegmentSidecar> old_sidecar_;
  SegmentSidecar sidecar_;  // of the batches so far
  std::unique_ptr<SegmentIndexes> indexes_;
};

}  // namespace varve

#endif  // VARVE_LOG_SEGMENT_REBUILD_H_
