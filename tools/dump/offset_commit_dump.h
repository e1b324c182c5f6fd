// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_DUMP_OFFSET_COMMIT_DUMP_H_
#define VARVE_TOOLS_DUMP_OFFSET_COMMIT_DUMP_H_

#include <cstdint>

#include "varve/log/batch/record_view.h"
#include "varve/tools/dump/dump_sink.h"

namespace varve {

// Prints a record of __consumer_offsets decoded (log/FORMAT.md, section 17): an
// offset that a group committed, or a tombstone, which deletes one. A record of
// another type, or of a later version, is printed as any record is. One that
// breaks the form is too, and is damage of the batch at `position`.
void DumpOffsetCommit(const RecordView& record, int64_t position,
                      DumpSink& sink);

}  // namespace varve

#endif  // VARVE_TOOLS_DUMP_OFFSET_COMMIT_DUMP_H_
