// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_OFFSET_CHECK_H_
#define VARVE_API_OFFSET_CHECK_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/committed_offset.h"
#include "api/offset_log.h"
#include "api/offset_notes.h"
#include "api/open_topic_partition.h"
#include "api/store_state.h"
#include "log/durability.h"
#include "log/offset_commit_record.h"

namespace varve {

// Checks committed offsets that were read from disk against the partitions they
// are of: what a power loss took behind a commit is found by the commit's
// leader epoch, and the offset is set back to where that epoch ends now. That
// is committed, and told in the notes.
//
// Thread safety: as the offset logs that it is given, for which their slot's
// lock is held.
class OffsetCheck {
 public:
  // Borrows both, which must outlive it.
  OffsetCheck(StoreState* store, OffsetNotes* notes)
      : store_(store), notes_(notes) {}

  // Does nothing when the offset is not there, was checked, cannot be read, or
  // is not of the topic that has its name.
  //
  // Errors: those of StoreState::OpenPartition; of syncing and appending, when
  // it is to be set back.
  absl::Status Run(OffsetLog& offsets, std::string_view group,
                   const TopicPartition& partition) const;

  // What to commit for `offset`, without metadata. A commit that a power loss
  // spares may not be ahead of the records it spares: with kSynced they are
  // synced.
  //
  // Errors: those of PartitionLog::Sync.
  absl::StatusOr<OffsetCommitValue> ValueAt(const TopicPartitionLog& data,
                                            int64_t offset,
                                            Durability durability) const;

 private:
  absl::Status SetBack(OffsetLog& offsets, const OffsetCommitKey& key,
                       const OffsetCommitValue& old, int64_t end,
                       const TopicPartitionLog& data) const;

  StoreState* const store_;
  OffsetNotes* const notes_;
};

}  // namespace varve

#endif  // VARVE_API_OFFSET_CHECK_H_
