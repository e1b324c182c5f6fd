// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_PARTITIONS_SPACE_RESERVE_H_
#define VARVE_API_PARTITIONS_SPACE_RESERVE_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "varve/log/system/file_system.h"

namespace varve {

// A file without contents, `varve.reserve`, that is deleted when the disk is
// full and something small has to be written so that something large can be
// deleted: the checkpoint before a trim, the mark of a clean shutdown.
//
// Thread safety: externally synchronized.
class SpaceReserve {
 public:
  // Two checkpoints of some thousand partitions.
  static constexpr int64_t kSizeBytes = 512 * 1024;

  explicit SpaceReserve(std::shared_ptr<Directory> directory)
      : directory_(std::move(directory)) {}

  // Makes the file if it is not there. Without room for it there is no such
  // file until a later call.
  void Refill();

  // Calls `write`, and once more with the reserve freed if the disk is full.
  // Returns what the last call did.
  absl::Status Write(absl::FunctionRef<absl::Status()> write);

 private:
  absl::Status Make();

  const std::shared_ptr<Directory> directory_;
  bool is_full_ = false;
};

}  // namespace varve

#endif  // VARVE_API_PARTITIONS_SPACE_RESERVE_H_
