// SPDX-License-Identifier: Apache-2.0

// The files of a segment by their stage, while segments take the place of
// others.

#ifndef VARVE_LOG_SWAP_SWAP_FILES_H_
#define VARVE_LOG_SWAP_SWAP_FILES_H_

#include <array>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/system/file_system.h"

namespace varve {

// The files that a segment brings with it, but for its .log.
inline constexpr std::array<SegmentFileKind, 3> kFilesBesideLog = {
    SegmentFileKind::kIndex, SegmentFileKind::kTimeIndex,
    SegmentFileKind::kTxnIndex};

// Renames a file, which may have been renamed, or may never have been there.
// Errors: file errors but NotFound.
absl::Status RenameIfThere(Directory& directory, std::string_view from,
                           std::string_view to);

// Gives the file of a segment that is at kSwap its own name. Errors: as above.
absl::Status TakeOwnName(Directory& directory, const SegmentFile& file);

// Gives a sidecar of CleanedSidecarFileName the name SidecarFileName.
absl::Status TakeSidecarName(Directory& directory, int64_t base_offset);

}  // namespace varve

#endif  // VARVE_LOG_SWAP_SWAP_FILES_H_
