// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_GROUPS_OFFSET_CHECK_H_
#define VARVE_API_GROUPS_OFFSET_CHECK_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/committed_offset.h"
#include "varve/api/groups/offset_log.h"
#include "varve/api/groups/offset_notes.h"
#include "varve/api/store/open_topic_partition.h"
#include "varve/api/store/store_state.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/offset_commit_record.h"

namespace varve {

// Checks offsets against their partitions: those that a program wants to
// commit, and those that were read from disk. If a power loss took records
// below such a one, the commit's leader epoch shows it, and the offset is set
// back to where that epoch ends now (SetBackOffset). The new offset is
// committed, and reported in the notes.
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
  // Errors: those of StoreState::OpenPartition; those of PartitionLog::Sync and
  // PartitionLog::Append when it is to be set back.
  absl::Status Run(OffsetLog& offsets, std::string_view group,
                   const TopicPartition& partition) const;

  // The partition that `commit` is for, if the commit is a good one. Changes
  // and syncs nothing.
  //
  // Errors: InvalidArgument for its metadata; NotFound for its topic;
  // OutOfRange for its partition, and an offset outside of the log; those of
  // StoreState::OpenPartition.
  absl::StatusOr<TopicPartitionLog> PartitionOf(
      const OffsetCommit& commit) const;

  // The value to commit, a view into `commit`, for a good one of the partition
  // `data`. A commit that survives a power loss may not be ahead of the records
  // that survive it: with kSynced they are synced first.
  //
  // Errors: those of PartitionLog::Sync.
  absl::StatusOr<OffsetCommitValue> ValueOf(const OffsetCommit& commit,
                                            const TopicPartitionLog& data,
                                            Durability durability) const;

 private:
  absl::StatusOr<OffsetCommitValue> ValueAt(const TopicPartitionLog& data,
                                            int64_t offset,
                                            Durability durability) const;
  absl::Status SetBack(OffsetLog& offsets, const OffsetCommitKey& key,
                       const OffsetCommitValue& old, int64_t end,
                       const TopicPartitionLog& data) const;

  StoreState* const store_;
  OffsetNotes* const notes_;
};

}  // namespace varve

#endif  // VARVE_API_GROUPS_OFFSET_CHECK_H_
