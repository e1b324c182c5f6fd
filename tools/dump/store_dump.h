// SPDX-License-Identifier: Apache-2.0

// Prints the store's own files, an entry a line. Text that cannot be read is
// damage.

#ifndef VARVE_TOOLS_DUMP_STORE_DUMP_H_
#define VARVE_TOOLS_DUMP_STORE_DUMP_H_

#include <string_view>

#include "varve/tools/dump/dump_sink.h"

namespace varve {

// varve.topics: topics with their configs, and deleted ones of which something
// is left.
void DumpTopics(std::string_view text, DumpSink& sink);

// varve.checkpoint: log starts and recovery points.
void DumpStoreCheckpoint(std::string_view text, DumpSink& sink);

// varve.retention: when retention last looked.
void DumpRetentionState(std::string_view text, DumpSink& sink);

// varve.producers: where the next block of producer ids begins.
void DumpProducerIds(std::string_view text, DumpSink& sink);

}  // namespace varve

#endif  // VARVE_TOOLS_DUMP_STORE_DUMP_H_
