// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_CATALOG_PRODUCER_IDS_FILE_H_
#define VARVE_API_CATALOG_PRODUCER_IDS_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Where a store goes on issuing producer ids: the file varve.producers
// (log/FORMAT.md, "Store files"). It is made when the first id is asked for.
inline constexpr std::string_view kProducersName = "varve.producers";

// Ids are taken in blocks, as a Kafka cluster takes them (ProducerIdsBlock).
inline constexpr int64_t kProducerIdBlockSize = 1000;

// varve's ids begin here. A Kafka cluster issues its own from 0 up, so in logs
// that come from a broker, or go to one, the two do not meet.
inline constexpr int64_t kProducerIdsBegin = int64_t{1} << 62;

// The end of the last whole block below 2^63.
inline constexpr int64_t kProducerIdsEnd =
    kProducerIdsBegin +
    kProducerIdsBegin / kProducerIdBlockSize * kProducerIdBlockSize;

// The file's contents, and back. `next_block` is the first id of the next block
// that nothing was issued from; kProducerIdsEnd when there is none left.
//
// Errors: DataLoss; FailedPrecondition when a newer version wrote it.
std::string FormatProducerIds(int64_t next_block);
absl::StatusOr<int64_t> ParseProducerIds(std::string_view text);

// Errors: NotFound; those of ParseProducerIds, with the path; file errors
// (log/system/errno_status.h).
absl::StatusOr<int64_t> ReadProducerIds(Directory& directory);

// Durable on return. Callers take turns.
//
// Errors: file errors. The file may have its new contents all the same, and a
// power loss may undo that.
absl::Status WriteProducerIds(Directory& directory, int64_t next_block);

}  // namespace varve

#endif  // VARVE_API_CATALOG_PRODUCER_IDS_FILE_H_
