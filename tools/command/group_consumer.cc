// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/command/group_consumer.h"

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "varve/api/committed_offset.h"
#include "varve/api/log_store.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/partition/partition_log.h"
#include "varve/tools/command/topic_consumer.h"
#include "varve/tools/command/unreadable_batch.h"
#include "varve/tools/shell/record_format.h"
#include "varve/tools/shell/record_printer.h"
#include "varve/tools/shell/stop_signal.h"

namespace varve {
namespace {

// With fewer records left to print, one batch is read at a time.
constexpr int64_t kFewRecords = 100;

// Retention does not delete records that often.
constexpr int kCommitTries = 10;

}  // namespace

GroupConsumer::GroupConsumer(LogStore* store, Options options,
                             RecordPrinter* printer)
    : store_(store),
      options_(std::move(options)),
      printer_(printer),
      last_commit_(absl::Now()) {}

absl::Status GroupConsumer::Run() {
  absl::StatusOr<TopicDescription> topic =
      store_->DescribeTopic(options_.topic);
  if (!topic.ok()) return topic.status();
  const int32_t first = options_.partition.value_or(0);
  const int32_t last =
      options_.partition.value_or(topic->config.partitions - 1);
  absl::Status status;
  for (int32_t i = first; i <= last && status.ok(); ++i) {
    if (HasEnough()) break;
    absl::StatusOr<Partition> partition = store_->partition(options_.topic, i);
    status = partition.ok() ? Consume(*partition) : partition.status();
  }
  // Records that were printed before another error are committed.
  if (!output_failed_) status.Update(FlushAndCommit());
  return status;
}

bool GroupConsumer::HasEnough() const {
  return printer_->left() == 0 || StopWasRequested();
}

absl::StatusOr<int64_t> GroupConsumer::StartOf(
    const Partition& partition) const {
  const auto committed = store_->CommittedOffset(
      options_.group, partition.topic(), partition.index());
  if (!committed.ok() && !absl::IsNotFound(committed.status()))
    return committed.status();
  if (committed.ok() && committed->offset >= partition.log_start())
    return committed->offset;
  return GoOnAfter(partition, committed.ok() ? std::optional(committed->offset)
                                             : std::nullopt);
}

absl::StatusOr<int64_t> GroupConsumer::GoOnAfter(
    const Partition& partition, std::optional<int64_t> deleted) const {
  const int64_t log_start = partition.log_start();
  const std::string what = absl::StrCat(
      partition.topic(), ", partition ", partition.index(), ": group \"",
      absl::Utf8SafeCHexEscape(options_.group), "\" has ",
      deleted.has_value()
          ? absl::StrCat("come to offset ", *deleted,
                         ", and the log starts at ", log_start, " now")
          : "committed no offset");
  if (options_.reset == OffsetReset::kNone) {
    return absl::OutOfRangeError(
        absl::StrCat(what, "; say --reset earliest or latest"));
  }
  const int64_t start =
      options_.reset == OffsetReset::kEarliest ? log_start : EndOf(partition);
  if (deleted.has_value()) {
    std::cerr << absl::StrCat("varve: ", what, ": it goes on at ", start, "\n");
  }
  return start;
}

int64_t GroupConsumer::EndOf(const Partition& partition) const {
  return partition.readable_end(ReadLevel::kVisible, options_.isolation);
}

absl::Status GroupConsumer::Consume(const Partition& partition) {
  absl::StatusOr<int64_t> start = StartOf(partition);
  if (!start.ok()) return start.status();
  // The position is set even when there is nothing to print: a group that
  // begins at the latest record has to find its place again.
  positions_[partition.index()] = *start;
  const absl::StatusOr<StopBefore> stop =
      StopBefore::In(partition, options_.until, options_.isolation);
  if (!stop.ok()) return stop.status();
  const int64_t end = std::min(stop->offset, EndOf(partition));
  for (int64_t offset = *start; offset < end && !HasEnough();) {
    ReadOptions read = {.level = ReadLevel::kVisible,
                        .isolation = options_.isolation};
    if (printer_->left() < kFewRecords) read.max_bytes = 0;
    absl::StatusOr<RecordBatches> batches = partition.Read(offset, read);
    if (absl::IsOutOfRange(batches.status()) &&
        offset < partition.log_start()) {
      // Retention deleted the record first.
      start = GoOnAfter(partition, offset);
      if (!start.ok()) return start.status();
      offset = *start;
      positions_[partition.index()] = offset;
      continue;
    }
    if (!batches.ok()) return batches.status();
    if (batches->empty()) break;
    const absl::StatusOr<bool> goes_on = Print(partition, *stop, *batches);
    if (!goes_on.ok()) return goes_on.status();
    if (absl::Status status = CommitIfDue(); !status.ok()) return status;
    if (!*goes_on) break;
    offset = batches->next_offset();
  }
  return absl::OkStatus();
}

// Returns false when it has come to where it is to stop.
absl::StatusOr<bool> GroupConsumer::Print(const Partition& partition,
                                          const StopBefore& stop,
                                          const RecordBatches& batches) {
  const RecordOrigin origin = {.topic = partition.topic(),
                               .partition = partition.index()};
  int64_t& next = positions_.at(partition.index());
  RecordBatches::Records records = batches.records();
  while (printer_->left() > 0) {
    const RecordView* record = records.Next();
    if (record == nullptr) break;
    if (stop.IsAt(*record)) return false;
    absl::Status status = printer_->Print(origin, *record);
    output_failed_ = !status.ok();
    if (output_failed_) return status;
    next = record->offset() + 1;
  }
  if (!records.status().ok()) {
    return UnreadableBatchError(
        origin, records.status(),
        absl::StrCat("go on after \"varve groups reset ",
                     absl::Utf8SafeCHexEscape(options_.group), " ",
                     origin.topic, ":", origin.partition, " --to ",
                     records.next_offset(), "\""));
  }
  // The next position is after records that are not shown, such as markers, and
  // after gaps of compaction.
  if (printer_->left() > 0) next = batches.next_offset();
  return true;
}

absl::Status GroupConsumer::CommitIfDue() {
  if (absl::Now() - last_commit_ < options_.commit_interval)
    return absl::OkStatus();
  return FlushAndCommit();
}

absl::Status GroupConsumer::FlushAndCommit() {
  absl::Status flushed = printer_->Flush();
  output_failed_ = !flushed.ok();
  if (output_failed_) return flushed;
  last_commit_ = absl::Now();
  if (positions_ == committed_) return absl::OkStatus();
  absl::Status status = Commit();
  for (int i = 0; i < kCommitTries && absl::IsOutOfRange(status); ++i) {
    // Printed records may be deleted before their offset is committed.
    if (status = PassDeleted(); status.ok()) status = Commit();
  }
  if (status.ok()) committed_ = positions_;
  return status;
}

absl::Status GroupConsumer::PassDeleted() {
  for (auto& [index, offset] : positions_) {
    const absl::StatusOr<Partition> partition =
        store_->partition(options_.topic, index);
    if (!partition.ok()) return partition.status();
    offset = std::max(offset, partition->log_start());
  }
  return absl::OkStatus();
}

absl::Status GroupConsumer::Commit() {
  std::vector<OffsetCommit> commits;
  for (const auto& [partition, offset] : positions_) {
    commits.push_back(
        {.topic = options_.topic, .partition = partition, .offset = offset});
  }
  return store_->CommitOffsets(options_.group, commits);
}

}  // namespace varve
