// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_DUMP_SEGMENT_DUMP_H_
#define VARVE_TOOLS_DUMP_SEGMENT_DUMP_H_

#include <cstdint>

#include "absl/status/status.h"
#include "varve/log/system/file_system.h"
#include "varve/tools/dump/dump_sink.h"

namespace varve {

// Whether a dump shows the records, and whether as what __consumer_offsets
// holds (tools/dump/offset_commit_dump.h).
enum class RecordsShown { kNo, kYes, kOffsetCommits };

// Prints the batches of a segment, whichever program wrote it, and on request
// their records. Compressed batches are decompressed, whether or not records
// are asked for: their size then is printed as well, and one that cannot be is
// followed by the reason. At damage it says where and why, and continues after
// it if a whole batch follows. Gaps between offsets, and any epochs, pass: what
// they should be is not known from one file.
//
// Errors: file errors (log/system/errno_status.h).
absl::Status DumpSegment(File& file, int64_t base_offset, RecordsShown shown,
                         DumpSink& sink);

}  // namespace varve

#endif  // VARVE_TOOLS_DUMP_SEGMENT_DUMP_H_
