// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_READY_SEGMENT_H_
#define VARVE_LOG_READY_SEGMENT_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "log/file_system.h"
#include "log/log_config.h"
#include "log/recovery_report.h"
#include "log/segment.h"

namespace varve {

// A segment made ahead of its time, empty, allocated and populated at its
// front, so that a roll is a swap in memory. It has its files under the ready
// names until `Segment::TakeName`.
//
// Owns the files until `Adopt`.
//
// Thread safety: externally synchronized.
class ReadySegment {
 public:
  // How much of the .log is allocated and populated at once.
  static constexpr int64_t kFront = int64_t{1} << 20;

  // Replaces files of these names: no segment may have them.
  //
  // Errors: those of the files; none is left behind.
  static absl::StatusOr<std::unique_ptr<ReadySegment>> Create(
      Directory& directory, const LogConfig& config);

  // Removes the files, if they are there. Errors: those of the calls.
  static absl::Status RemoveFiles(Directory& directory);

  // Whether it has the room that `config` asks for.
  bool Fits(const LogConfig& config) const;

  // Makes a segment of it, without a system call.
  std::shared_ptr<Segment> Adopt(int64_t base_offset,
                                 const LogConfig& config) &&;

 private:
  explicit ReadySegment(SegmentFiles files);

  SegmentFiles files_;
};

// What recovery made of a ready segment.
struct ReadyRecovery {
  // What it set aside, or should have.
  std::optional<RecoveryFinding> finding = {};
  // Not OK: there was no room to set it aside, and it is still there. Nothing
  // may be appended to the log.
  absl::Status read_only = {};
};

// At an open after a crash: gives a ready segment that was in use already its
// name, and removes one that was not. `recovery_point` is the log's: no batch
// in it is of a lower offset.
//
// What holds no whole first batch is no segment: it is set aside unless it is
// all zeros.
//
// Errors: those of the files.
absl::StatusOr<ReadyRecovery> RecoverReadySegment(Directory& directory,
                                                  int64_t recovery_point);

}  // namespace varve

#endif  // VARVE_LOG_READY_SEGMENT_H_
