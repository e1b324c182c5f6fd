// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_SHELL_START_OFFSET_H_
#define VARVE_TOOLS_SHELL_START_OFFSET_H_

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/api/read_only_partition.h"

namespace varve {

// Where to begin to read: the value of `--offset`.
//
// Thread safety: immutable.
class StartOffset {
 public:
  //   earliest, latest
  //   1000                    this offset
  //   -100                    the last 100 records of each partition
  //   @2026-11-20T10:00:00Z   the first record of that time or later
  //   @-1h                    the same, that long ago: 90s, 15m, 2h30m, 500ms
  //
  // Errors: InvalidArgument.
  static absl::StatusOr<StartOffset> Parse(std::string_view text,
                                           absl::Time now);

  // The offset in one partition. It is not checked that there is such a record.
  // Errors: those of ReadOnlyPartition.
  absl::StatusOr<int64_t> FindIn(const ReadOnlyPartition& partition) const;

  // Whether it is an offset, which means something in one partition only.
  bool is_number() const { return kind_ == Kind::kNumber; }

 private:
  enum class Kind { kEarliest, kLatest, kNumber, kFromEnd, kTime };

  Kind kind_ = Kind::kEarliest;
  int64_t number_ = 0;  // the offset, or how many records from the end
  absl::Time time_;
};

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_START_OFFSET_H_
