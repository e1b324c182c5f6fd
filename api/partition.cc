// SPDX-License-Identifier: Apache-2.0

#include "varve/api/partition.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "varve/api/opened_partition.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/partition_stats.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/partition/append_callback.h"
#include "varve/log/partition/append_event.h"
#include "varve/log/partition/append_result.h"
#include "varve/log/partition/append_trigger.h"
#include "varve/log/partition/partition_log.h"

namespace varve {

const OpenedPartition& Partition::opened() const {
  CHECK(valid()) << "a Partition that was default-constructed or moved from";
  return *opened_;
}

absl::Status Partition::CheckUsable() const {
  if (valid()) return opened_->fork_mark.Check();
  return absl::FailedPreconditionError(
      "this Partition was default-constructed or moved from: take one from "
      "LogStore::partition");
}

absl::Status Partition::CheckWritable() const {
  return valid() ? opened_->CheckWritable() : CheckUsable();
}

const std::string& Partition::topic() const { return opened().topic; }

TopicId Partition::topic_id() const { return opened().topic_id; }

int32_t Partition::index() const { return opened().index; }

absl::StatusOr<AppendResult> Partition::Append(const Record& record,
                                               Durability durability) {
  if (absl::Status s = CheckWritable(); !s.ok()) return s;
  return opened_->log->Append(record, durability);
}

absl::StatusOr<AppendResult> Partition::Append(const EncodedBatch& batch,
                                               Durability durability) {
  if (absl::Status s = CheckWritable(); !s.ok()) return s;
  return opened_->log->Append(batch, durability);
}

absl::StatusOr<AppendResult> Partition::AppendAsync(const Record& record,
                                                    AppendCallback on_durable) {
  if (absl::Status s = CheckWritable(); !s.ok()) return s;
  return opened_->log->AppendAsync(record, std::move(on_durable));
}

absl::StatusOr<AppendResult> Partition::AppendAsync(const EncodedBatch& batch,
                                                    AppendCallback on_durable) {
  if (absl::Status s = CheckWritable(); !s.ok()) return s;
  return opened_->log->AppendAsync(batch, std::move(on_durable));
}

absl::StatusOr<RecordBatches> Partition::Read(
    int64_t offset, const ReadOptions& options) const {
  if (absl::Status s = CheckUsable(); !s.ok()) return s;
  return opened_->log->Read(offset, options);
}

absl::StatusOr<int64_t> Partition::OffsetForTime(absl::Time time,
                                                 ReadLevel level) const {
  if (absl::Status s = CheckUsable(); !s.ok()) return s;
  return opened_->log->OffsetForTime(time, level);
}

absl::Status Partition::WaitFor(int64_t offset, absl::Time deadline,
                                ReadLevel level, Isolation isolation) const {
  if (absl::Status s = CheckUsable(); !s.ok()) return s;
  return opened_->log->WaitFor(offset, deadline, level, isolation);
}

absl::Status Partition::WaitDurable(int64_t offset, absl::Time deadline) const {
  return WaitFor(offset, deadline, ReadLevel::kDurable);
}

absl::StatusOr<std::shared_ptr<AppendEvent>> Partition::NewAppendEvent() const {
  if (absl::Status s = CheckUsable(); !s.ok()) return s;
  return opened_->log->NewAppendEvent();
}

absl::Status Partition::TrimBefore(int64_t offset) {
  if (absl::Status s = CheckWritable(); !s.ok()) return s;
  return opened_->log->TrimBefore(offset);
}

absl::Status Partition::Sync() {
  if (absl::Status s = CheckUsable(); !s.ok()) return s;
  return opened_->log->Sync();
}

absl::StatusOr<std::optional<ProducerPosition>> Partition::FindProducer(
    int64_t producer_id) const {
  if (absl::Status s = CheckUsable(); !s.ok()) return s;
  return opened_->log->FindProducer(producer_id);
}

absl::StatusOr<PartitionStats> Partition::Stats() const {
  if (absl::Status s = CheckUsable(); !s.ok()) return s;
  return opened_->log->Stats();
}

int64_t Partition::log_start() const { return opened().log->log_start(); }

int64_t Partition::durable_end() const { return opened().log->durable_end(); }

int64_t Partition::visible_end() const { return opened().log->visible_end(); }

int64_t Partition::readable_end(ReadLevel level, Isolation isolation) const {
  return opened().log->readable_end(level, isolation);
}

int64_t Partition::segment_count() const {
  return opened().fork_mark.in_child() ? 0 : opened_->log->segment_count();
}

int64_t Partition::batch_size_max() const {
  return opened().fork_mark.in_child()
             ? 0
             : opened_->log->config().batch_size_max();
}

bool Partition::HasNews(int64_t offset, const ReadOptions& options) const {
  return !valid() || opened_->fork_mark.in_child() ||
         opened_->log->HasNews(offset, options.level, options.isolation);
}

void Partition::Arm(const std::shared_ptr<AppendTrigger>& trigger,
                    int64_t offset) const {
  opened().log->Arm(trigger, offset);
}

void Partition::Disarm(AppendTrigger& trigger) const {
  if (!opened().fork_mark.in_child()) opened_->log->Disarm(trigger);
}

}  // namespace varve
