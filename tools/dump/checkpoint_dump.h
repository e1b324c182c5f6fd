// SPDX-License-Identifier: Apache-2.0

// Prints the small text files of a partition, an entry a line. Text that cannot
// be read is damage.

#ifndef VARVE_TOOLS_DUMP_CHECKPOINT_DUMP_H_
#define VARVE_TOOLS_DUMP_CHECKPOINT_DUMP_H_

#include <string_view>

#include "varve/tools/dump/dump_sink.h"

namespace varve {

// leader-epoch-checkpoint.
void DumpLeaderEpochs(std::string_view text, DumpSink& sink);

// partition.metadata.
void DumpPartitionMetadata(std::string_view text, DumpSink& sink);

// recovery-point-offset-checkpoint and the others with an offset for each
// partition.
void DumpOffsetCheckpoint(std::string_view text, DumpSink& sink);

// The sidecar of a sealed segment.
void DumpSidecar(std::string_view text, DumpSink& sink);

}  // namespace varve

#endif  // VARVE_TOOLS_DUMP_CHECKPOINT_DUMP_H_
