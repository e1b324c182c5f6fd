// SPDX-License-Identifier: Apache-2.0

// Prints the entries of an index file of a segment, and says which of them
// cannot be right by themselves. Whether they fit the batches is what `varve
// verify` finds out.

#ifndef VARVE_TOOLS_INDEX_DUMP_H_
#define VARVE_TOOLS_INDEX_DUMP_H_

#include <cstdint>
#include <string>

#include "tools/dump_sink.h"

namespace varve {

// `bytes` are those of the whole file.
void DumpOffsetIndex(std::string bytes, int64_t base_offset, DumpSink& sink);
void DumpTimeIndex(std::string bytes, int64_t base_offset, DumpSink& sink);

}  // namespace varve

#endif  // VARVE_TOOLS_INDEX_DUMP_H_
