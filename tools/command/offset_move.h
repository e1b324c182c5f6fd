// SPDX-License-Identifier: Apache-2.0

// Where a reset moves a group to: what `varve groups reset` decides before it
// changes anything.

#ifndef VARVE_TOOLS_COMMAND_OFFSET_MOVE_H_
#define VARVE_TOOLS_COMMAND_OFFSET_MOVE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/api/log_store.h"
#include "varve/tools/shell/offset_spec.h"

namespace varve {

// The value of `--to`: a place in the log, or a way from where the group is.
struct MoveTarget {
  OffsetSpec place = {};
  std::optional<int64_t> shift_by = std::nullopt;  // in place of `place`
};

// Parses the words after `--to`: one, or "shift-by" and a number.
//
// Errors: InvalidArgument, without the option's name.
absl::StatusOr<MoveTarget> ParseMoveTarget(
    const std::vector<std::string>& words, absl::Time now);

// A group and the partitions in which it is moved.
struct MoveScope {
  std::string group;
  std::string topic;
  std::optional<int32_t> partition = std::nullopt;  // none: all
};

// What a reset does in one partition.
struct OffsetMove {
  int32_t partition = 0;
  // Where the group was; nothing when it had committed nothing.
  std::optional<int64_t> before = std::nullopt;
  int64_t offset = 0;  // where it goes on
  int64_t log_start = 0;
  int64_t log_end = 0;
  // Where a shift led, when that is not in the log: then `offset` is the log's
  // start or end, as with Kafka's kafka-consumer-groups --reset-offsets.
  std::optional<int64_t> clamped_from = std::nullopt;

  int64_t lag() const { return log_end - offset; }
};

// One for each partition of the scope. Nothing is committed.
//
// Errors: InvalidArgument for an offset in all partitions of a topic that has
// several; OutOfRange for an offset that the log does not have; NotFound for an
// unknown topic, and for a shift where the group has committed nothing; those
// of LogStore::partition, CommittedOffset and Partition::OffsetForTime.
absl::StatusOr<std::vector<OffsetMove>> PlanMoves(LogStore& store,
                                                  const MoveScope& scope,
                                                  const MoveTarget& target);

// Commits all of them or none. Errors: those of LogStore::CommitOffsets.
absl::Status CommitMoves(LogStore& store, const MoveScope& scope,
                         const std::vector<OffsetMove>& moves);

}  // namespace varve

#endif  // VARVE_TOOLS_COMMAND_OFFSET_MOVE_H_
