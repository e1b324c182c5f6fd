// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_SHELL_OFFSET_SPEC_H_
#define VARVE_TOOLS_SHELL_OFFSET_SPEC_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/api/read_bounds.h"
#include "varve/api/topic_description.h"
#include "varve/log/metadata/read_options.h"

namespace varve {

// A place in a log, as options take it: `--offset`, `--until`, `--before`,
// `--to`.
//
// Thread safety: immutable.
class OffsetSpec {
 public:
  //   earliest, latest        or, as kcat says, beginning and end
  //   1000                    this offset
  //   -100                    the last 100 records of each partition
  //   @2026-11-20T10:00:00Z   the first record of that time or later;
  //   @1795168800000          tools/shell/time_spec.h has what may follow @
  //   @-1h
  //
  // Errors: InvalidArgument with the text and what there is, to be put after
  // the option's name.
  static absl::StatusOr<OffsetSpec> Parse(std::string_view text,
                                          absl::Time now);

  // The offset in one partition, a Partition or a ReadOnlyPartition. It is not
  // checked that there is such a record. The end, and what counts from it, are
  // those of a reader of this isolation. Errors: those of the partition.
  template <typename AnyPartition>
  absl::StatusOr<int64_t> FindIn(
      const AnyPartition& partition,
      Isolation isolation = Isolation::kReadUncommitted) const {
    if (kind_ == Kind::kNumber) return number_;
    if (kind_ == Kind::kTime)
      return partition.OffsetForTime(time_, ReadLevel::kVisible);
    const absl::StatusOr<ReadBounds> bounds = BoundsOf(
        partition, {.level = ReadLevel::kVisible, .isolation = isolation});
    if (!bounds.ok()) return bounds.status();
    return Within(*bounds);
  }

  // Errors: InvalidArgument when it is an offset, which means something in one
  // partition only, and the topic has several and `partition` names none.
  absl::Status CheckPartition(const TopicDescription& topic,
                              std::optional<int32_t> partition) const;

  // Whether it is an offset, which means something in one partition only.
  bool is_offset() const { return kind_ == Kind::kNumber; }

  // The time, if it is one.
  std::optional<absl::Time> time() const {
    return kind_ == Kind::kTime ? std::optional(time_) : std::nullopt;
  }

 private:
  enum class Kind { kEarliest, kLatest, kNumber, kFromEnd, kTime };

  int64_t Within(const ReadBounds& bounds) const;

  Kind kind_ = Kind::kEarliest;
  int64_t number_ = 0;  // the offset, or how many records from the end
  absl::Time time_;
};

}  // namespace varve

#endif  // VARVE_TOOLS_SHELL_OFFSET_SPEC_H_
