// SPDX-License-Identifier: Apache-2.0

// Prints the files of a partition that say what its producers have done, an
// entry a line, and what cannot be right by itself. All whole entries of a
// damaged file are printed as they stand there. `varve verify` checks whether
// they fit the batches.

#ifndef VARVE_TOOLS_DUMP_PRODUCER_DUMP_H_
#define VARVE_TOOLS_DUMP_PRODUCER_DUMP_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "varve/tools/dump/dump_sink.h"

namespace varve {

// A `.snapshot`: the producers. `bytes` are those of the whole file; `offset`
// is that in its name, none for a copy of another name.
void DumpProducerSnapshot(std::string_view bytes, std::optional<int64_t> offset,
                          DumpSink& sink);

// A `.txnindex`: the aborted transactions of a segment. `bytes` as above.
void DumpTransactionIndex(std::string bytes, int64_t base_offset,
                          DumpSink& sink);

}  // namespace varve

#endif  // VARVE_TOOLS_DUMP_PRODUCER_DUMP_H_
