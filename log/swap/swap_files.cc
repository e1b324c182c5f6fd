// SPDX-License-Identifier: Apache-2.0

#include "varve/log/swap/swap_files.h"

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/system/file_system.h"

namespace varve {

absl::Status RenameIfThere(Directory& directory, std::string_view from,
                           std::string_view to) {
  absl::Status status = directory.Rename(from, to);
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

absl::Status TakeOwnName(Directory& directory, const SegmentFile& file) {
  return RenameIfThere(directory,
                       SwapFileName({.file = file, .stage = SwapStage::kSwap}),
                       SegmentFileName(file.base_offset, file.kind));
}

absl::Status TakeSidecarName(Directory& directory, int64_t base_offset) {
  return RenameIfThere(directory, CleanedSidecarFileName(base_offset),
                       SidecarFileName(base_offset));
}

}  // namespace varve
