// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_READ_ONLY_VERIFY_BASIS_H_
#define VARVE_API_READ_ONLY_VERIFY_BASIS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "varve/api/catalog/readable_directory.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/writer_presence.h"
#include "varve/log/metadata/topic_partition.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/partition_verifier.h"
#include "varve/log/verification/segment_verifier.h"

namespace varve {

// The contents of the store's own files, or a broker's, at one moment, by which
// a verification judges the partitions, which it reads later. A writer that
// opens, works or closes meanwhile changes both; what does not fit together is
// judged again by a new basis.
struct VerifyBasis {
  LastWriter last_writer = LastWriter::kClosedCleanly;
  // An error: the file is damaged, or cannot be read.
  absl::StatusOr<FoundCheckpoint> checkpoint;
  absl::StatusOr<TopicCatalog> catalog;
  // What a broker's files say that is left out.
  std::vector<std::string> notes = {};

  // The inputs to judge a partition by; nothing when there is no such
  // partition. Without a catalog every one is possible, and its config is not
  // known.
  std::optional<PartitionVerifyInputs> InputsOf(
      const TopicPartition& name) const;
};

// Reads the files, each as it is now. Errors: file errors
// (log/system/errno_status.h) of the directory; what is wrong with a file is in
// the basis.
absl::StatusOr<VerifyBasis> ReadVerifyBasis(Directory& directory,
                                            ReadableContents contents,
                                            const WriterProbe& probe);

}  // namespace varve

#endif  // VARVE_API_READ_ONLY_VERIFY_BASIS_H_
