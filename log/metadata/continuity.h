// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METADATA_CONTINUITY_H_
#define VARVE_LOG_METADATA_CONTINUITY_H_

namespace varve {

// Whether the offsets of a log leave none out. Compaction and Kafka's
// transactions leave gaps; nothing else does.
enum class Continuity { kExact, kGapsAllowed };

}  // namespace varve

#endif  // VARVE_LOG_METADATA_CONTINUITY_H_
