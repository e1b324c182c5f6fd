// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_GROUPS_COMMITTED_OFFSETS_H_
#define VARVE_API_GROUPS_COMMITTED_OFFSETS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "varve/api/catalog/topic_catalog.h"
#include "varve/api/committed_offset.h"
#include "varve/api/groups/offset_check.h"
#include "varve/api/groups/offset_identity.h"
#include "varve/api/groups/offset_log.h"
#include "varve/api/groups/offset_notes.h"
#include "varve/api/groups/offset_partitions.h"
#include "varve/api/offsets/offset_table.h"
#include "varve/api/store/open_topic_partition.h"
#include "varve/api/store/store_state.h"
#include "varve/api/store_metrics.h"
#include "varve/log/metadata/durability.h"

namespace varve {

// The offsets that consumer groups commit, kept as Kafka keeps them: records of
// the topic __consumer_offsets, which is made at the first commit. A partition
// of it is read when a group that belongs there is first used.
//
// An offset belongs to a topic's id (api/groups/offset_identity.h): what was
// committed for a topic that was deleted never counts for another one of its
// name. One that was read from disk is checked when it is first used
// (api/groups/offset_check.h).
//
// Its functions are those of LogStore, with the same errors.
//
// Thread safety: thread-safe. Commits of groups that belong to one partition of
// __consumer_offsets are serialized. Lock order: that partition's, then the
// store's.
class CommittedOffsets {
 public:
  // Borrows the store, which must outlive it.
  explicit CommittedOffsets(StoreState* store);

  absl::Status Commit(std::string_view group,
                      absl::Span<const OffsetCommit> commits,
                      Durability durability);
  absl::StatusOr<OffsetCommitReport> TryCommit(
      std::string_view group, absl::Span<const OffsetCommit> commits,
      const OffsetCommitOptions& options);
  absl::StatusOr<OffsetAndMetadata> Find(std::string_view group,
                                         std::string_view topic,
                                         int32_t partition);
  absl::StatusOr<std::vector<std::string>> ListGroups();
  absl::StatusOr<std::vector<GroupOffset>> Describe(std::string_view group);
  absl::Status Delete(std::string_view group,
                      absl::Span<const TopicPartition> partitions,
                      Durability durability);
  absl::Status DeleteGroup(std::string_view group, Durability durability);

  // Commits offsets for a topic that is about to be made, as they were
  // committed elsewhere: each has the topic's id, and is checked when it is
  // used. After a crash any number of the first ones may be there. Durable on
  // return (committed_offsets_transfer.cc).
  //
  // Errors: InvalidArgument for the group's id; those of OffsetLog::Load,
  // PartitionLog::Append and PartitionLog::Sync.
  absl::Status Transfer(std::string_view group,
                        absl::Span<const OffsetLog::Change> changes);
  // Makes the topic __consumer_offsets if it is not there. Errors: those of
  // TopicAdministration::CreateTopic.
  absl::Status MakeTopic();

  // Deletes what any group has committed for a topic that was deleted, durably,
  // and nothing of another topic of its name. It may be called again.
  //
  // Errors: those of OffsetLog::Load, PartitionLog::Append and
  // PartitionLog::Sync; those of opening a partition
  // (StoreState::OpenPartition).
  absl::Status ForgetTopic(const Topic& deleted);

  // Checks every offset there is, after an unclean shutdown, before anything is
  // appended. An offset that cannot be checked is reported in `notes`, and is
  // checked when it is used.
  void CheckAll();

  // Adds the lag of groups to the metrics (api/groups/group_lags.h). Any thread
  // may call it at any time: it waits for no file and no commit on disk.
  void AddLags(StoreMetrics& metrics) const;

  // The findings of reading and checking, for the recovery report.
  std::vector<std::string> notes() const { return notes_.Get(); }

 private:
  using Changes = std::vector<OffsetLog::Change>;

  // An offset of a call that can be committed.
  struct GoodOffset {
    size_t index = 0;  // in the call
    TopicPartitionLog data;
  };

  absl::StatusOr<std::vector<GoodOffset>> GoodOf(
      absl::Span<const OffsetCommit> commits, OffsetCommitReport& report) const;
  void RefuseDeleted(absl::Span<const OffsetCommit> commits, Changes& changes,
                     std::vector<size_t>& indexes,
                     OffsetCommitReport& report) const;
  absl::StatusOr<GroupOffset> DescribeOffset(OffsetLog& offsets,
                                             std::string_view group,
                                             const TopicPartition& partition);
  std::vector<TopicPartition> ShownOf(const OffsetTable& table,
                                      std::string_view group) const;
  absl::Status DeleteAll(std::string_view group,
                         absl::Span<const TopicPartition> partitions,
                         OffsetLog& offsets, Durability durability);
  void CheckAllOf(OffsetLog& offsets);
  int64_t NowMs() const;

  StoreState* const store_;
  OffsetNotes notes_;
  const OffsetIdentity identity_;
  const OffsetCheck check_;
  OffsetPartitions partitions_;
};

}  // namespace varve

#endif  // VARVE_API_GROUPS_COMMITTED_OFFSETS_H_
