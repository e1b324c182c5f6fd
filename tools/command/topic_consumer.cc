// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/command/topic_consumer.h"

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "varve/api/read_bounds.h"
#include "varve/api/read_only_partition.h"
#include "varve/api/read_only_store.h"
#include "varve/api/topic_description.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/batch/record_view.h"
#include "varve/log/metadata/read_options.h"
#include "varve/log/read_only/poll_interval.h"
#include "varve/tools/command/stop_before.h"
#include "varve/tools/command/unreadable_batch.h"
#include "varve/tools/shell/exit_status.h"
#include "varve/tools/shell/record_format.h"
#include "varve/tools/shell/record_printer.h"
#include "varve/tools/shell/stop_signal.h"

namespace varve {
namespace {

// For fewer records than this, one batch is read at a time, not a mebibyte.
constexpr int64_t kFewRecords = 100;

// How often the start may be trimmed away before it is read.
constexpr int kTriesMax = 10;

}  // namespace

absl::StatusOr<OffsetReset> ParseOffsetReset(const std::string& text) {
  if (text == "earliest") return OffsetReset::kEarliest;
  if (text == "latest") return OffsetReset::kLatest;
  if (text == "none") return OffsetReset::kNone;
  return absl::InvalidArgumentError(
      absl::StrCat("--reset ", text, ": neither earliest nor latest nor none"));
}

TopicConsumer::TopicConsumer(const ReadOnlyStore* store, Options options,
                             RecordPrinter* printer)
    : store_(store), options_(std::move(options)), printer_(printer) {}

absl::Status TopicConsumer::Open() {
  if (options_.partition.has_value()) return Add(*options_.partition);
  absl::StatusOr<TopicDescription> topic =
      store_->DescribeTopic(options_.topic);
  if (!topic.ok()) return topic.status();
  for (const int32_t i : topic->partition_numbers()) {
    if (absl::Status status = Add(i); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status TopicConsumer::Add(int32_t partition) {
  absl::StatusOr<ReadOnlyPartition> opened =
      store_->partition(options_.topic, partition);
  if (!opened.ok()) return opened.status();
  Position position = {.partition = *std::move(opened), .next_offset = -1};
  const absl::StatusOr<StopBefore> stop =
      StopBefore::In(position.partition, options_.until, options_.isolation);
  if (!stop.ok()) return stop.status();
  position.stop = *stop;
  absl::Status status;
  for (int i = 0; i < kTriesMax; ++i) {
    const absl::StatusOr<int64_t> offset = options_.start(position.partition);
    if (!offset.ok()) return offset.status();
    // A number stays the same; the earliest record may be another one by now.
    if (i > 0 && *offset == position.next_offset) break;
    position.next_offset = *offset;
    status = position.partition.Read(*offset, {.max_bytes = 0}).status();
    if (!absl::IsOutOfRange(status)) break;
  }
  if (absl::IsOutOfRange(status))
    status = Reset(
        position,
        {.below = options_.reset_at_start, .behind = options_.reset_at_start},
        status);
  // Damage is reported when it is reached.
  if (!status.ok() && !absl::IsDataLoss(status)) return status;
  positions_.push_back(std::move(position));
  return absl::OkStatus();
}

// Records of a partition that was not there a moment ago are all new. An offset
// to stop before is that of the one partition that was there at first.
absl::Status TopicConsumer::AddNewPartitions() {
  if (options_.partition.has_value()) return absl::OkStatus();
  if (options_.until.has_value() && options_.until->is_offset())
    return absl::OkStatus();
  absl::StatusOr<TopicDescription> topic =
      store_->DescribeTopic(options_.topic);
  if (!topic.ok()) return topic.status();
  const std::vector<int32_t> numbers = topic->partition_numbers();
  if (numbers.size() <= positions_.size()) return absl::OkStatus();
  std::set<int32_t> known;
  for (const Position& position : positions_)
    known.insert(position.partition.index());
  for (const int32_t i : numbers) {
    if (known.contains(i)) continue;
    absl::StatusOr<ReadOnlyPartition> opened =
        store_->partition(options_.topic, i);
    if (!opened.ok()) return opened.status();
    const absl::StatusOr<StopBefore> stop =
        StopBefore::In(*opened, options_.until, options_.isolation);
    if (!stop.ok()) return stop.status();
    positions_.push_back({.partition = *std::move(opened), .stop = *stop});
  }
  return absl::OkStatus();
}

absl::Status TopicConsumer::ConsumeToEnd() {
  for (Position& position : positions_) {
    if (printer_->left() == 0) break;
    absl::StatusOr<int64_t> end = position.partition.visible_end();
    if (!end.ok()) return end.status();
    while (printer_->left() > 0 && !position.has_stopped &&
           position.next_offset < *end) {
      absl::StatusOr<bool> some = ConsumeSome(position);
      if (!some.ok()) return some.status();
      // The log was cut meanwhile.
      if (!*some) break;
    }
  }
  return absl::OkStatus();
}

absl::Status TopicConsumer::Follow() {
  PollInterval poll;
  absl::Time flushed_at = absl::Now();
  absl::Time refreshed_at = absl::Now();
  while (printer_->left() > 0 && !HasStopped() && !StopWasRequested()) {
    absl::StatusOr<bool> news = FollowRound();
    if (!news.ok()) return news.status();
    const absl::Time now = absl::Now();
    if (!*news || now - flushed_at > kFlushInterval) {
      if (absl::Status status = printer_->Flush(); !status.ok()) return status;
      flushed_at = now;
    }
    // It is refreshed, too, when the clock was set back.
    if (now - refreshed_at > kRefreshInterval || now < refreshed_at) {
      absl::Status status = AddNewPartitions();
      if (!status.ok()) return status;
      refreshed_at = now;
    }
    if (*news) {
      poll.Reset();
    } else if (!StopWasRequested()) {
      absl::SleepFor(poll.Next());
    }
  }
  return absl::OkStatus();
}

bool TopicConsumer::HasStopped() const {
  return absl::c_all_of(positions_, [](const Position& position) {
    return position.has_stopped;
  });
}

// Prints a piece of each partition. Returns false when none had any.
absl::StatusOr<bool> TopicConsumer::FollowRound() {
  bool news = false;
  for (Position& position : positions_) {
    if (printer_->left() == 0 || StopWasRequested()) break;
    absl::StatusOr<bool> some = ConsumeSome(position);
    if (!some.ok()) return some.status();
    news |= *some;
  }
  return news;
}

// Returns false when there is nothing yet, or nothing more.
absl::StatusOr<bool> TopicConsumer::ConsumeSome(Position& position) {
  if (position.next_offset >= position.stop.offset) position.has_stopped = true;
  if (position.has_stopped) return false;
  ReadOptions read = {.isolation = options_.isolation};
  if (printer_->left() < kFewRecords) read.max_bytes = 0;  // one batch
  absl::StatusOr<RecordBatches> batches =
      position.partition.Read(position.next_offset, read);
  if (absl::IsOutOfRange(batches.status())) {
    // A log that was cut below the printed position continues at its end: from
    // its start, everything would be printed again.
    const OffsetReset later = options_.reset_later;
    absl::Status status = Reset(
        position,
        {.below = later,
         .behind = later == OffsetReset::kNone ? later : OffsetReset::kLatest},
        batches.status());
    if (!status.ok()) return status;
    return true;
  }
  if (!batches.ok()) return batches.status();
  const int64_t before = position.next_offset;
  if (!batches->empty()) {
    if (absl::Status status = Print(position, *batches); !status.ok())
      return status;
  }
  // The whole batches were printed, or skipped: markers, gaps of compaction.
  if (printer_->left() > 0 && !position.has_stopped)
    position.next_offset = batches->next_offset();
  return position.next_offset > before;
}

absl::Status TopicConsumer::Print(Position& position,
                                  const RecordBatches& batches) {
  const RecordOrigin origin = {.topic = position.partition.topic(),
                               .partition = position.partition.index()};
  RecordBatches::Records records = batches.records();
  while (printer_->left() > 0) {
    const RecordView* record = records.Next();
    if (record == nullptr) break;
    if (position.stop.IsAt(*record)) {
      position.has_stopped = true;
      break;
    }
    absl::Status status = printer_->Print(origin, *record);
    if (!status.ok()) return status;
    position.next_offset = record->offset() + 1;
  }
  if (records.status().ok()) return absl::OkStatus();
  return UnreadableBatchError(
      origin, records.status(),
      absl::StrCat("go on with --partition ", origin.partition, " --offset ",
                   records.next_offset()));
}

absl::Status TopicConsumer::Reset(Position& position, const ResetRule& rule,
                                  const absl::Status& reason) {
  const absl::StatusOr<ReadBounds> bounds =
      BoundsOf(position.partition,
               {.level = ReadLevel::kVisible, .isolation = options_.isolation});
  if (!bounds.ok()) return bounds.status();
  const int64_t before = position.next_offset;
  const bool is_below = before < bounds->log_start;
  // The record was appended meanwhile.
  if (!is_below && before <= bounds->visible_end) return absl::OkStatus();
  const OffsetReset reset = is_below ? rule.below : rule.behind;
  if (reset == OffsetReset::kNone) return reason;
  position.next_offset = reset == OffsetReset::kEarliest ? bounds->log_start
                                                         : bounds->readable_end;
  PrintError(
      absl::StrCat(options_.topic, ", partition ", position.partition.index(),
                   ": offset ", before, " is not there: the log starts at ",
                   bounds->log_start, " and ends before ", bounds->visible_end,
                   "; goes on at ", position.next_offset));
  return absl::OkStatus();
}

}  // namespace varve
