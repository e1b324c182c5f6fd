// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TOOLS_COMMAND_STOP_BEFORE_H_
#define VARVE_TOOLS_COMMAND_STOP_BEFORE_H_

#include <cstdint>
#include <limits>
#include <optional>

#include "absl/status/statusor.h"
#include "varve/log/batch/record_timestamp.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/read_options.h"
#include "varve/tools/shell/offset_spec.h"

namespace varve {

// Where a consumer stops in one partition: before an offset, or before the
// first record that it meets of a time or later. By default nowhere.
struct StopBefore {
  int64_t offset = std::numeric_limits<int64_t>::max();
  std::optional<int64_t> timestamp_ms = std::nullopt;

  bool IsAt(const RecordView& record) const {
    return record.offset() >= offset ||
           (timestamp_ms.has_value() && record.timestamp_ms() >= *timestamp_ms);
  }

  // What `spec` means in `partition`, a Partition or a ReadOnlyPartition, to a
  // reader of this isolation. A time stays one: a consumer that follows the log
  // meets it later.
  //
  // Errors: those of OffsetSpec::FindIn.
  template <typename AnyPartition>
  static absl::StatusOr<StopBefore> In(const AnyPartition& partition,
                                       const std::optional<OffsetSpec>& spec,
                                       Isolation isolation) {
    StopBefore stop;
    if (!spec.has_value()) return stop;
    if (spec->time().has_value()) {
      stop.timestamp_ms = TimestampAtOrAfter(*spec->time());
      return stop;
    }
    absl::StatusOr<int64_t> offset = spec->FindIn(partition, isolation);
    if (!offset.ok()) return offset.status();
    stop.offset = *offset;
    return stop;
  }
};

}  // namespace varve

#endif  // VARVE_TOOLS_COMMAND_STOP_BEFORE_H_
