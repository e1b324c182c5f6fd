// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_SEGMENT_DUMP_H_
#define VARVE_TOOLS_SEGMENT_DUMP_H_

#include <cstdint>

#include "absl/status/status.h"
#include "log/file_system.h"
#include "tools/dump_sink.h"

namespace varve {

// Whether a dump goes down to the records.
enum class RecordsShown { kNo, kYes };

// Prints the batches of a segment, whoever wrote it, and on request their
// records. At damage it says where and why, and goes on behind it if a whole
// batch stands there. Gaps between offsets, and any epochs, pass: what they
// should be is not known from one file.
//
// Errors: those of reading the file.
absl::Status DumpSegment(File& file, int64_t base_offset, RecordsShown shown,
                         DumpSink& sink);

}  // namespace varve

#endif  // VARVE_TOOLS_SEGMENT_DUMP_H_
