// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/command/offset_move.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "varve/api/committed_offset.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/tools/shell/offset_spec.h"
#include "varve/tools/shell/whole_number.h"

namespace varve {
namespace {

constexpr std::string_view kShiftBy = "shift-by";

std::string NameOf(const MoveScope& scope, int32_t partition) {
  return absl::StrCat(scope.topic, ", partition ", partition);
}

// Nothing when the group has committed nothing.
absl::StatusOr<std::optional<int64_t>> CommittedIn(LogStore& store,
                                                   const MoveScope& scope,
                                                   int32_t partition) {
  const absl::StatusOr<OffsetAndMetadata> committed =
      store.CommittedOffset(scope.group, scope.topic, partition);
  if (absl::IsNotFound(committed.status())) return std::nullopt;
  if (!committed.ok()) return committed.status();
  return committed->offset;
}

// Sets where the group goes on, `shift_by` records from where it was.
absl::Status Shift(const MoveScope& scope, int64_t shift_by, OffsetMove& move) {
  if (!move.before.has_value()) {
    return absl::NotFoundError(absl::StrCat(
        NameOf(scope, move.partition), ": group \"",
        absl::Utf8SafeCHexEscape(scope.group),
        "\" has committed nothing to shift from; say --to earliest, latest, an "
        "offset or @TIME"));
  }
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  // A committed offset is 0 or more, so only the sum upwards can overflow.
  const int64_t shifted =
      shift_by > kMax - *move.before ? kMax : *move.before + shift_by;
  move.offset = std::clamp(shifted, move.log_start, move.log_end);
  if (move.offset != shifted) move.clamped_from = shifted;
  return absl::OkStatus();
}

// Sets where the group goes on, at a place in the log.
absl::Status Place(const MoveScope& scope, const OffsetSpec& place,
                   const Partition& partition, OffsetMove& move) {
  const absl::StatusOr<int64_t> offset = place.FindIn(partition);
  if (!offset.ok()) return offset.status();
  move.offset = *offset;
  if (move.offset >= move.log_start && move.offset <= move.log_end) {
    return absl::OkStatus();
  }
  return absl::OutOfRangeError(
      absl::StrCat(NameOf(scope, move.partition), ": offset ", move.offset,
                   " is not there: the log starts at ", move.log_start,
                   " and ends before ", move.log_end));
}

absl::StatusOr<OffsetMove> PlanMove(LogStore& store, const MoveScope& scope,
                                    const MoveTarget& target, int32_t index) {
  absl::StatusOr<Partition> partition = store.partition(scope.topic, index);
  if (!partition.ok()) return partition.status();
  absl::StatusOr<std::optional<int64_t>> before =
      CommittedIn(store, scope, index);
  if (!before.ok()) return before.status();
  OffsetMove move = {.partition = index,
                     .before = *before,
                     .log_start = partition->log_start(),
                     .log_end = partition->visible_end()};
  absl::Status status = target.shift_by.has_value()
                            ? Shift(scope, *target.shift_by, move)
                            : Place(scope, target.place, *partition, move);
  if (!status.ok()) return status;
  return move;
}

}  // namespace

absl::StatusOr<MoveTarget> ParseMoveTarget(
    const std::vector<std::string>& words, absl::Time now) {
  MoveTarget target;
  if (!words.empty() && words[0] == kShiftBy) {
    if (words.size() != 2) {
      return absl::InvalidArgumentError(
          "shift-by: by how many records? say shift-by N, or shift-by -N");
    }
    const absl::StatusOr<int64_t> number = ParseWholeNumber(words[1]);
    if (!number.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("shift-by: ", number.status().message()));
    }
    target.shift_by = *number;
    return target;
  }
  if (words.size() != 1) {
    return absl::InvalidArgumentError(
        "takes one place, or shift-by and a number");
  }
  absl::StatusOr<OffsetSpec> place = OffsetSpec::Parse(words[0], now);
  if (!place.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(place.status().message(), ", nor shift-by and a number"));
  }
  target.place = *place;
  return target;
}

absl::StatusOr<std::vector<OffsetMove>> PlanMoves(LogStore& store,
                                                  const MoveScope& scope,
                                                  const MoveTarget& target) {
  absl::StatusOr<TopicDescription> topic = store.DescribeTopic(scope.topic);
  if (!topic.ok()) return topic.status();
  if (!target.shift_by.has_value()) {
    absl::Status status = target.place.CheckPartition(*topic, scope.partition);
    if (!status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--to: ", status.message(), "; say TOPIC:PARTITION"));
    }
  }
  const int32_t first = scope.partition.value_or(0);
  const int32_t last = scope.partition.value_or(topic->config.partitions - 1);
  std::vector<OffsetMove> moves;
  for (int32_t i = first; i <= last; ++i) {
    absl::StatusOr<OffsetMove> move = PlanMove(store, scope, target, i);
    if (!move.ok()) return move.status();
    moves.push_back(*move);
  }
  return moves;
}

absl::Status CommitMoves(LogStore& store, const MoveScope& scope,
                         const std::vector<OffsetMove>& moves) {
  std::vector<OffsetCommit> commits;
  commits.reserve(moves.size());
  for (const OffsetMove& move : moves) {
    commits.push_back({.topic = scope.topic,
                       .partition = move.partition,
                       .offset = move.offset});
  }
  return store.CommitOffsets(scope.group, commits);
}

}  // namespace varve
