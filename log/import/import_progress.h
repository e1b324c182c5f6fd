// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_IMPORT_IMPORT_PROGRESS_H_
#define VARVE_LOG_IMPORT_IMPORT_PROGRESS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/metadata/continuity.h"
#include "varve/log/system/file_system.h"

namespace varve {

// A segment that an import has copied, checked and synced.
struct ImportedSegment {
  // The source's `.log` when it was copied: a file of that size and that time
  // of change is the same one.
  int64_t source_bytes = 0;
  int64_t source_modified_ns = 0;  // since 1970
  // What is in the copy.
  int64_t records = 0;
  Continuity continuity = Continuity::kExact;

  friend bool operator==(const ImportedSegment&,
                         const ImportedSegment&) = default;
};

// The segments of a partition that an import is done with, so that it goes on
// after an interruption: the contents of the file kImportProgressName
// (log/metadata/file_names.h) in the partition's directory. What it says of a
// segment counts only as long as the segment has the sidecar that it got.
//
// Thread safety: externally synchronized.
class ImportProgress {
 public:
  // The file's; nothing of a file that is missing, damaged, or of a newer
  // version: the segments are copied anew then. Errors: other file errors
  // (log/system/errno_status.h).
  static absl::StatusOr<ImportProgress> Read(Directory& directory);

  // Nothing for a segment that was not copied.
  std::optional<ImportedSegment> Find(int64_t base_offset) const;
  void Put(int64_t base_offset, const ImportedSegment& segment);

  // Replaces the file. Durable on return. Errors: file errors.
  absl::Status Write(Directory& directory) const;

  std::string ToText() const;
  // Errors: DataLoss; FailedPrecondition when it is of a newer version.
  static absl::StatusOr<ImportProgress> FromText(std::string_view text);

 private:
  std::map<int64_t, ImportedSegment> segments_;  // by base offset
};

}  // namespace varve

#endif  // VARVE_LOG_IMPORT_IMPORT_PROGRESS_H_
