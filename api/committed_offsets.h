// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_COMMITTED_OFFSETS_H_
#define VARVE_API_COMMITTED_OFFSETS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "api/committed_offset.h"
#include "api/offset_log.h"
#include "api/offset_partitions.h"
#include "api/store_state.h"
#include "log/durability.h"
#include "log/offset_commit_record.h"
#include "log/partition_log.h"

namespace varve {

// The offsets that consumer groups commit, kept as Kafka keeps them: records of
// the topic __consumer_offsets, which is made at the first commit. A partition
// of it is read when a group that belongs there is first used.
//
// An offset that was read from disk is checked when it is first used, against
// the partition it belongs to: what a power loss took behind a commit is found
// by the commit's leader epoch, and the offset is set back to where that epoch
// ends now. That is committed, and told in `notes`.
//
// Its functions are those of LogStore, with the same errors.
//
// Thread safety: thread-safe. Commits of one group are serialized. Lock order:
// a partition's of __consumer_offsets, then this class's own and the store's.
class CommittedOffsets {
 public:
  // Borrows the store, which must outlive it.
  explicit CommittedOffsets(StoreState* store);

  absl::Status Commit(std::string_view group,
                      absl::Span<const OffsetCommit> commits,
                      Durability durability);
  absl::StatusOr<CommittedOffset> Find(std::string_view group,
                                       std::string_view topic,
                                       int32_t partition);
  absl::StatusOr<std::vector<std::string>> ListGroups();
  absl::StatusOr<std::vector<GroupOffset>> Describe(std::string_view group);
  absl::Status Delete(std::string_view group,
                      absl::Span<const TopicPartition> partitions,
                      Durability durability);
  absl::Status DeleteGroup(std::string_view group, Durability durability);

  // Deletes what any group has committed for a topic that was deleted, durably.
  absl::Status ForgetTopic(std::string_view topic);

  // Checks every offset there is, after an unclean shutdown, before anything
  // is appended. What cannot be checked is told in `notes`, and is checked
  // when it is used.
  void CheckAll();

  // What reading and checking found, for the recovery report.
  std::vector<std::string> notes() const;

 private:
  absl::StatusOr<OffsetCommitValue> ValueOf(const OffsetCommit& commit,
                                            Durability durability);
  absl::StatusOr<OffsetCommitValue> ValueAt(PartitionLog& data, int64_t offset,
                                            Durability durability);
  absl::Status CheckOffset(OffsetLog& offsets, std::string_view group,
                           const TopicPartition& partition);
  absl::Status SetBack(OffsetLog& offsets, const OffsetCommitKey& key,
                       const OffsetCommitValue& old, int64_t end,
                       PartitionLog& data);
  absl::StatusOr<GroupOffset> DescribeOffset(OffsetLog& offsets,
                                             std::string_view group,
                                             const TopicPartition& partition);
  int64_t NowMs() const;
  void AddNote(std::string note);

  StoreState* const store_;
  OffsetPartitions partitions_;

  mutable absl::Mutex mu_;
  std::vector<std::string> notes_ ABSL_GUARDED_BY(mu_);
  int64_t more_notes_ ABSL_GUARDED_BY(mu_) = 0;  // that were not kept
};

}  // namespace varve

#endif  // VARVE_API_COMMITTED_OFFSETS_H_
