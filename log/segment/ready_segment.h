// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_SEGMENT_READY_SEGMENT_H_
#define VARVE_LOG_SEGMENT_READY_SEGMENT_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/segment/segment.h"
#include "varve/log/system/file_system.h"

namespace varve {

// A segment made ahead of its time, empty, allocated and populated at its
// front, so that a roll is a swap in memory. Its files have the ready names
// until `Segment::TakeName`.
//
// Owns the files until `Adopt`.
//
// Thread safety: externally synchronized.
class ReadySegment {
 public:
  // How much of the .log is allocated and populated at once.
  static constexpr int64_t kFront = int64_t{1} << 20;

  // Replaces files of these names, which no segment may be using.
  //
  // Errors: file errors (log/system/errno_status.h); no file is left then,
  // unless it cannot be removed either.
  static absl::StatusOr<std::unique_ptr<ReadySegment>> Create(
      Directory& directory, const LogConfig& config);

  // Removes the files, if they exist. Errors: file errors.
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

}  // namespace varve

#endif  // VARVE_LOG_SEGMENT_READY_SEGMENT_H_
