// SPDX-License-Identifier: Apache-2.0

// The offsets that a consumer group commits, and what is known of them: plain
// values.

#ifndef VARVE_API_COMMITTED_OFFSET_H_
#define VARVE_API_COMMITTED_OFFSET_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/metadata/topic_partition.h"

namespace varve {

// Bytes of a commit's metadata, at most (Kafka's offset.metadata.max.bytes).
inline constexpr size_t kOffsetMetadataSizeMax = 4096;

// One of several offsets to commit together. It owns nothing.
struct OffsetCommit {
  std::string_view topic;
  int32_t partition = 0;
  // The next record that the group has to read: the offset of the last one
  // that it is done with, plus one.
  int64_t offset = 0;
  // Anything the program wants to have back with it, UTF-8 for Kafka's tools.
  std::string_view metadata = {};
  // The id of the topic that was read, as `Partition::topic_id` gives it: the
  // commit fails when that topic was deleted meanwhile, even if there is a new
  // one of its name. None: the topic that has the name now.
  TopicId topic_id = {};
};

// What becomes of the other offsets of a call when one is refused.
enum class OnRefusedOffset { kCommitNone, kCommitOthers };

struct OffsetCommitOptions {
  // Default: all offsets of the call are committed, or none.
  OnRefusedOffset on_refused = OnRefusedOffset::kCommitNone;
  // Default: the commit survives a power loss when the call returns.
  Durability durability = Durability::kSynced;
};

// An offset that was not committed because of what it is or where it belongs.
struct RefusedOffset {
  size_t index = 0;  // in the commits of the call
  TopicPartition partition;
  // InvalidArgument, NotFound or OutOfRange: as LogStore::CommitOffset would
  // return it for this offset alone.
  absl::Status reason;
};

// What became of the offsets of one call.
struct OffsetCommitReport {
  std::vector<RefusedOffset> refused;  // in the order of the call
  // Offsets that were committed: the others, or none of them if the call says
  // so.
  int64_t committed = 0;
};

// The offset that a group committed last for one partition: where it continues.
struct OffsetAndMetadata {
  int64_t offset = 0;
  // The epoch of the record before it; -1 when there was none.
  int32_t leader_epoch = -1;
  std::string metadata = {};
  absl::Time commit_time = absl::InfinitePast();  // to the millisecond
};

// How far a group has come in one partition.
struct GroupOffset {
  TopicPartition partition;
  OffsetAndMetadata committed;
  // The log start of the partition; nothing when it does not exist any more or
  // cannot be opened.
  std::optional<int64_t> log_start = std::nullopt;
  std::optional<int64_t> log_end = std::nullopt;

  // Records that the group has not read yet, including those that were deleted
  // since its commit.
  std::optional<int64_t> lag() const {
    if (!log_end.has_value()) return std::nullopt;
    return *log_end - committed.offset;
  }
};

}  // namespace varve

#endif  // VARVE_API_COMMITTED_OFFSET_H_
