// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_VERIFY_BASIS_H_
#define VARVE_API_VERIFY_BASIS_H_

#include <optional>

#include "absl/status/statusor.h"
#include "api/store_checkpoint.h"
#include "api/topic_catalog.h"
#include "api/writer_presence.h"
#include "log/file_system.h"
#include "log/partition_verifier.h"
#include "log/segment_verifier.h"
#include "log/topic_partition.h"

namespace varve {

// What the store's own files said at one moment: by this a verification judges
// the partitions, which it looks at later. A writer that is open, or comes and
// goes, changes both; what does not fit together is judged again by a new one.
struct VerifyBasis {
  LastWriter last_writer = LastWriter::kClosedCleanly;
  // An error: the file is damaged, or cannot be read.
  absl::StatusOr<FoundCheckpoint> checkpoint;
  absl::StatusOr<TopicCatalog> catalog;

  // What to judge a partition by. Nothing: there is no such partition. Without
  // a catalog every one is possible, and its config is not known.
  std::optional<PartitionVerifyInputs> InputsOf(
      const TopicPartition& name) const;
};

// Reads the files, each as it is now. Errors: those of the directory; what is
// wrong with a file is in the basis.
absl::StatusOr<VerifyBasis> ReadVerifyBasis(Directory& directory,
                                            const WriterProbe& probe);

}  // namespace varve

#endif  // VARVE_API_VERIFY_BASIS_H_
