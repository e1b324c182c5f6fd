// SPDX-License-Identifier: Apache-2.0

// Prints the entries of an index file of a segment, and says which of them
// cannot be right by themselves. `varve verify` checks whether they fit the
// batches.

#ifndef VARVE_TOOLS_DUMP_INDEX_DUMP_H_
#define VARVE_TOOLS_DUMP_INDEX_DUMP_H_

#include <cstdint>
#include <string>

#include "varve/tools/dump/dump_sink.h"

namespace varve {

// `bytes` are those of the whole file.
void DumpOffsetIndex(std::string bytes, int64_t base_offset, DumpSink& sink);
void DumpTimeIndex(std::string bytes, int64_t base_offset, DumpSink& sink);

}  // namespace varve

#endif  // VARVE_TOOLS_DUMP_INDEX_DUMP_H_
