// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_API_READ_BOUNDS_H_
#define VARVE_API_READ_BOUNDS_H_

#include <algorithm>
#include <cstdint>

#include "absl/status/statusor.h"
#include "varve/api/partition.h"
#include "varve/api/read_only_partition.h"
#include "varve/log/metadata/log_bounds.h"
#include "varve/log/metadata/read_options.h"

namespace varve {

// Where a log begins and ends for readers of one level.
struct ReadBounds {
  int64_t log_start = 0;
  int64_t readable_end = 0;  // at that level
  int64_t visible_end = 0;
};

// The bounds now, for code that takes either kind of handle.
//
// Precondition: a Partition is not empty. Errors: none of a Partition; those of
// ReadOnlyPartition::Bounds.
inline absl::StatusOr<ReadBounds> BoundsOf(const Partition& partition,
                                           const ReadOptions& read = {
                                               .level = ReadLevel::kVisible}) {
  return ReadBounds{
      .log_start = partition.log_start(),
      .readable_end = partition.readable_end(read.level, read.isolation),
      .visible_end = partition.visible_end()};
}
inline absl::StatusOr<ReadBounds> BoundsOf(const ReadOnlyPartition& partition,
                                           const ReadOptions& read = {
                                               .level = ReadLevel::kVisible}) {
  const absl::StatusOr<LogBounds> bounds = partition.Bounds();
  if (!bounds.ok()) return bounds.status();
  ReadBounds found = {
      .log_start = bounds->log_start,
      .readable_end = read.level == ReadLevel::kDurable
                          ? std::max(bounds->recovery_point, bounds->log_start)
                          : bounds->visible_end,
      .visible_end = bounds->visible_end};
  if (read.isolation == Isolation::kReadUncommitted) return found;
  const absl::StatusOr<int64_t> stable_end =
      partition.ReadableEnd(read.level, read.isolation);
  if (!stable_end.ok()) return stable_end.status();
  found.readable_end = std::min(found.readable_end, *stable_end);
  return found;
}

}  // namespace varve

#endif  // VARVE_API_READ_BOUNDS_H_
