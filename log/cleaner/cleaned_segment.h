// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_CLEANER_CLEANED_SEGMENT_H_
#define VARVE_LOG_CLEANER_CLEANED_SEGMENT_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/producer_state/segment_transactions.h"
#include "varve/log/segment/segment_indexes.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/mapped_file.h"

namespace varve {

// A segment while compaction writes it: `.log.cleaned` and the files beside it,
// with its sidecar (log/swap/segment_swap.h has what becomes of them).
//
// What is written is synced every few MiB, so that the disk is not kept busy
// for long at a time: appends and their syncs go on beside it.
//
// Owns its files until it is destroyed; they stay.
//
// Thread safety: externally synchronized.
class CleanedSegment {
 public:
  // Replaces files that an earlier try has left. `config` says how large the
  // segment and its indexes may become; a batch of `first_batch_bytes` has room
  // in any case.
  //
  // Errors: ResourceExhausted; other file errors (log/system/errno_status.h).
  // Some of the files may be left then.
  static absl::StatusOr<std::unique_ptr<CleanedSegment>> Create(
      Directory& directory, int64_t base_offset, const LogConfig& config,
      int64_t first_batch_bytes);

  int64_t base_offset() const { return sidecar_.base_offset; }
  int64_t size_bytes() const { return size_; }

  // Whether the batch, and its entries in the indexes, fit.
  bool HasRoomFor(const RecordBatch& batch) const;

  // Adds the next batch, with its entry in the transaction index, if it is to
  // have one. Precondition: `HasRoomFor` it. Errors: file errors.
  absl::Status Append(const RecordBatch& batch,
                      const std::optional<AbortedTransaction>& index_entry);

  // Ends it: its files are whole and synced on return, and its sidecar says
  // that the next segment begins at `cleaned_to`. Its last change is said to be
  // that of the segments that it was made of. Errors: file errors.
  absl::Status Finish(int64_t cleaned_to, absl::Time modified);

 private:
  CleanedSegment(Directory* directory, std::unique_ptr<MappedFile> log,
                 std::unique_ptr<SegmentIndexes> indexes, int64_t base_offset);

  absl::Status Sync();
  absl::Status WriteTransactions();

  Directory* const directory_;
  const std::unique_ptr<MappedFile> log_;
  const std::unique_ptr<SegmentIndexes> indexes_;
  SegmentTransactions transactions_;
  SegmentSidecar sidecar_;
  int64_t size_ = 0;
  int64_t synced_ = 0;
};

}  // namespace varve

#endif  // VARVE_LOG_CLEANER_CLEANED_SEGMENT_H_
