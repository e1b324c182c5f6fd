// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_IMPORT_PARTITION_IMPORT_H_
#define VARVE_LOG_IMPORT_PARTITION_IMPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/backup/file_copy.h"
#include "varve/log/import/segment_import.h"
#include "varve/log/metadata/continuity.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/system/file_system.h"

namespace varve {

struct PartitionImportInputs {
  TopicId topic_id = {};
  LogConfig config = {};  // for the indexes that are made
  // What the broker's checkpoints say of the partition.
  PartitionCheckpoint checkpoint = {};
  // Called with the bytes copied, or found to be there, since the last call.
  CopyProgress progress = nullptr;
};

struct PartitionImport {
  // What the destination's checkpoint has to say of it: everything in it is
  // below the recovery point.
  PartitionCheckpoint checkpoint = {};
  // kExact: no offset is missing in it.
  Continuity continuity = Continuity::kExact;
  int64_t segments = 0;
  int64_t records = 0;
  int64_t copied_bytes = 0;  // of .log files
  int64_t kept_bytes = 0;    // of those that were there already
  // A line for each place of it that is damaged, as in the source.
  std::vector<std::string> damage = {};
};

// Makes a partition of a store of a broker's, in a directory that no catalog
// lists yet. The broker must not run.
//
// What it is. The broker's batches as they are, compressed ones too, with their
// offsets, timestamps, producers and leader epochs, from the first file on; the
// indexes, the sidecars, the producers' files and the epochs' file are varve's,
// the producers' from the broker's snapshots and the batches. It is as a clean
// close leaves a partition, and the first append to it begins an epoch above
// all of the broker's. A torn tail, which the broker's next start would cut, is
// left out. Damage below the recovery point is kept, and so is what a start of
// varve would set aside, in `cut-…` files; both are listed.
//
// How. Segment by segment: its file is copied, each batch checked, and its
// indexes made (log/import/segment_import.h); then the segment is done, which
// is written down (log/import/import_progress.h). A call that is interrupted is
// repeated: it goes on after the last segment that was done, if the source's is
// still the same. All is durable on return.
//
// Errors: file errors of either directory (log/system/errno_status.h);
// Unavailable when the source changes meanwhile. The destination is not to be
// used then.
absl::StatusOr<PartitionImport> ImportPartition(
    const ImportDirectories& where, const PartitionImportInputs& inputs);

// The bytes of segments that the import would copy, of those that are not done.
// `destination` is null when there is no directory yet. Errors: file errors.
struct ImportSize {
  int64_t all_bytes = 0;
  int64_t missing_bytes = 0;
};
absl::StatusOr<ImportSize> MeasureImport(Directory& source,
                                         Directory* destination);

// Makes the directory ready for `ImportPartition`: names the topic. What an
// interrupted import of the same topic has left stays.
//
// Errors: AlreadyExists when it holds records of another topic, and is not
// touched; file errors.
absl::Status PrepareImport(Directory& destination, TopicId topic_id);

// Removes what tells how far the import came, once the topic is in the catalog.
// Errors: file errors.
absl::Status ForgetProgress(Directory& destination);

}  // namespace varve

#endif  // VARVE_LOG_IMPORT_PARTITION_IMPORT_H_
