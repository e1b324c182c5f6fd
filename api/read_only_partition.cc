// SPDX-License-Identifier: Apache-2.0

#include "varve/api/read_only_partition.h"

#include <cstdint>
#include <string>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/log_bounds.h"
#include "varve/log/metadata/partition_stats.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/read_only/read_only_partition_reader.h"

namespace varve {

absl::Status ReadOnlyPartition::CheckUsable() const {
  if (valid()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "this ReadOnlyPartition was default-constructed or moved from: take one "
      "from ReadOnlyStore::partition");
}

const std::string& ReadOnlyPartition::topic() const {
  CHECK_OK(CheckUsable());
  return topic_;
}

int32_t ReadOnlyPartition::index() const {
  CHECK_OK(CheckUsable());
  return index_;
}

absl::StatusOr<RecordBatches> ReadOnlyPartition::Read(
    int64_t offset, const ReadOptions& options) const {
  if (absl::Status s = CheckUsable(); !s.ok()) return s;
  return reader_->Read(offset, options);
}

absl::Status ReadOnlyPartition::WaitFor(int64_t offset, absl::Time deadline,
                                        ReadLevel level,
                                        Isolation isolation) const {
  if (absl::Status s = CheckUsable(); !s.ok()) return s;
  return reader_->WaitFor(offset, deadline, level, isolation);
}

absl::StatusOr<int64_t> ReadOnlyPartition::OffsetForTime(
    absl::Time time, ReadLevel level) const {
  if (absl::Status s = CheckUsable(); !s.ok()) return s;
  return reader_->OffsetForTime(time, level);
}

absl::StatusOr<LogBounds> ReadOnlyPartition::Bounds() const {
  if (absl::Status s = CheckUsable(); !s.ok()) return s;
  return reader_->Bounds();
}

absl::StatusOr<PartitionStats> ReadOnlyPartition::Stats() const {
  if (absl::Status s = CheckUsable(); !s.ok()) return s;
  return reader_->Stats();
}

absl::StatusOr<int64_t> ReadOnlyPartition::log_start() const {
  absl::StatusOr<LogBounds> bounds = Bounds();
  if (!bounds.ok()) return bounds.status();
  return bounds->log_start;
}

absl::StatusOr<int64_t> ReadOnlyPartition::visible_end() const {
  absl::StatusOr<LogBounds> bounds = Bounds();
  if (!bounds.ok()) return bounds.status();
  return bounds->visible_end;
}

absl::StatusOr<int64_t> ReadOnlyPartition::ReadableEnd(
    ReadLevel level, Isolation isolation) const {
  if (absl::Status s = CheckUsable(); !s.ok()) return s;
  return reader_->ReadableEnd(level, isolation);
}

bool ReadOnlyPartition::HasNews(int64_t offset,
                                const ReadOptions& options) const {
  // A read reports the error.
  return !valid() || reader_->HasNews(offset, options.level, options.isolation)
                         .value_or(true);
}

}  // namespace varve
