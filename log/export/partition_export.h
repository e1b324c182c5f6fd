// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_EXPORT_PARTITION_EXPORT_H_
#define VARVE_LOG_EXPORT_PARTITION_EXPORT_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/log/backup/partition_copy.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/system/file_system.h"

namespace varve {

struct PartitionExport {
  // The broker's log-start-offset-checkpoint has to say it where it lies above
  // the first segment.
  int64_t log_start = 0;
  int64_t first_segment = 0;  // its base offset
  int64_t end_offset = 0;     // after the last record
  int64_t segments = 0;
  int64_t records = 0;
  int64_t copied_bytes = 0;  // of .log files
  int64_t kept_bytes = 0;    // of those that were there already
  // Of the first record of a transaction that nobody has ended: at a broker it
  // stays open until it is aborted there.
  std::optional<int64_t> open_transaction = {};
};

// Makes a directory for a Kafka broker of a store's partition, whether or not
// the store has a writer: takes no lock, and changes nothing there. Nobody may
// use the destination meanwhile.
//
// What it is. The batches of the store, byte for byte but for the leader epoch,
// which is 0 in all of them (log/export/epoch_reset.h), from the segment of the
// log start to an end at or after what was visible when the call began; the
// offset, time and transaction indexes, the producers' snapshots, and a
// leader-epoch-checkpoint that says the same as the batches, if there are
// records. There is a segment, if only an empty one, so that the log begins at
// the right offset.
//
// How. The partition is copied, recovered and verified (CopyPartition); then it
// is made a broker's; and last, what was made is written down, for
// ReadExported. SettleExport does the rest. A call that is interrupted is
// repeated: of a copy that was not done it keeps the sealed segments that are.
//
// Errors: DataLoss when the partition is damaged: a broker would cut its log
// off there; Unavailable when an index could not be made; those of
// CopyPartition. The destination is not to be used then.
absl::StatusOr<PartitionExport> ExportPartition(
    Directory& source, Directory& destination,
    const PartitionCopyInputs& inputs);

// What an earlier call has made of the destination, all of it kept; nothing
// when none is done with it.
std::optional<PartitionExport> ReadExported(Directory& destination);

// Makes the directory a partition of the topic that has this id at the broker,
// with nothing in it but Kafka's own files; or, without an id, of no topic: one
// to copy from. Durable on return. It can be repeated.
// Precondition: ReadExported has something, or a call of this was interrupted.
//
// Errors: file errors (log/system/errno_status.h).
absl::Status SettleExport(Directory& destination, std::optional<TopicId> id);

// Bytes of segments that an export is still to copy: all of them but those that
// an earlier call has. `destination` is null when there is no directory yet.
// Errors: file errors.
struct ExportSize {
  int64_t all_bytes = 0;
  int64_t missing_bytes = 0;
};
absl::StatusOr<ExportSize> MeasureExport(Directory& source,
                                         Directory* destination);

}  // namespace varve

#endif  // VARVE_LOG_EXPORT_PARTITION_EXPORT_H_
