// SPDX-License-Identifier: Apache-2.0

// The files of a partition's directory that say what its producers have done:
// `.snapshot` and `.txnindex`, Kafka's (log/FORMAT.md, "Producer state").

#ifndef VARVE_LOG_PRODUCER_STATE_PRODUCER_FILES_H_
#define VARVE_LOG_PRODUCER_STATE_PRODUCER_FILES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/producer/producer_snapshot.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Those that are there, each by the offset in its name, ascending.
struct ProducerFiles {
  std::vector<int64_t> snapshots;
  std::vector<int64_t> transaction_indexes;
  std::vector<int64_t> segments;  // the .log files beside them
  // Names of such files that a crash left unfinished: they mean nothing.
  std::vector<std::string> temporaries;
};

// Errors: file errors (log/system/errno_status.h).
absl::StatusOr<ProducerFiles> ListProducerFiles(Directory& directory);

// Errors: NotFound; DataLoss when it is not a snapshot; Unimplemented for one
// of a later version; ResourceExhausted when memory or descriptors run out;
// other file errors.
absl::StatusOr<ProducerSnapshot> ReadProducerSnapshot(Directory& directory,
                                                      int64_t offset);

// Durable after a sync of the directory. Errors: file errors, and the old file,
// if there was one, is unchanged.
absl::Status WriteProducerSnapshot(Directory& directory,
                                   const ProducerSnapshot& snapshot);

// The entries of the segment's transaction index, as bytes that
// `TransactionIndex` reads. Each was checked.
//
// Errors: NotFound; DataLoss when it is damaged; other file errors.
absl::StatusOr<std::string> ReadTransactionIndex(Directory& directory,
                                                 int64_t base_offset);

// Without an entry there is no file, and one that is there is removed. Durable
// after a sync of the directory. Errors: file errors.
absl::Status WriteTransactionIndex(Directory& directory, int64_t base_offset,
                                   std::string_view entries);

}  // namespace varve

#endif  // VARVE_LOG_PRODUCER_STATE_PRODUCER_FILES_H_
