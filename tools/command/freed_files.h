// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_COMMAND_FREED_FILES_H_
#define VARVE_TOOLS_COMMAND_FREED_FILES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/metadata/topic_partition.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The files of a partition's segments that are wholly before an offset: those
// that Partition::TrimBefore deletes.
//
// Thread safety: externally synchronized.
class FreedFiles {
 public:
  // Looks at the directory `data` of the store.
  //
  // Errors: file errors (log/system/errno_status.h).
  static absl::StatusOr<FreedFiles> Before(int64_t offset,
                                           const TopicPartition& partition,
                                           const std::string& data);

  // Bytes of those that are there now. Errors: file errors.
  absl::StatusOr<int64_t> Size() const;

 private:
  FreedFiles(std::unique_ptr<Directory> directory,
             std::vector<std::string> names)
      : directory_(std::move(directory)), names_(std::move(names)) {}

  std::unique_ptr<Directory> directory_;
  std::vector<std::string> names_;
};

}  // namespace varve

#endif  // VARVE_TOOLS_COMMAND_FREED_FILES_H_
