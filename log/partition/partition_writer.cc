// SPDX-License-Identifier: Apache-2.0

#include "varve/log/partition/partition_writer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "varve/log/batch/incoming_batch.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_timestamp.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/meters/stop_watch.h"
#include "varve/log/partition/log_meters.h"
#include "varve/log/producer/producer_batch.h"
#include "varve/log/producer/producer_state.h"
#include "varve/log/producer/producer_states.h"
#include "varve/log/producer_state/partition_producers.h"
#include "varve/log/recovery/partition_recovery.h"
#include "varve/log/segment/last_stamp.h"
#include "varve/log/segment/roll_watch.h"
#include "varve/log/segment/segment.h"
#include "varve/log/segment/segment_list.h"
#include "varve/log/sync/pending_sync.h"
#include "varve/log/system/environment.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

constexpr int64_t kMaxOffset = std::numeric_limits<int64_t>::max();

}  // namespace

PartitionWriter::PartitionWriter(Directory* directory, SegmentList* segments,
                                 const LogConfig* config,
                                 const Environment* environment,
                                 LogMeters* meters, const RecoveredLog& log)
    : directory_(directory),
      segments_(segments),
      config_(config),
      environment_(environment),
      meters_(meters),
      read_only_(log.read_only),
      producers_(directory, log.producers),
      epochs_(directory, log),
      needs_new_segment_(log.needs_new_segment),
      next_offset_(log.next_offset) {
  CHECK_GE(next_offset_, 0);
}

absl::Status PartitionWriter::CheckWritable() const {
  if (read_only_.ok()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(directory_->path(),
                   ": read-only since its recovery: ", read_only_.message()));
}

absl::Status PartitionWriter::Open() {
  CHECK(!is_open());
  CHECK(!is_closing());
  if (absl::Status status = CheckWritable(); !status.ok()) return status;
  if (absl::Status status = epochs_.Begin(next_offset_); !status.ok())
    return status;
  return OpenActive();
}

void PartitionWriter::ForgetBefore(int64_t offset) {
  epochs_.ForgetBefore(offset);
  producers_.aborted()->ForgetBefore(offset);
}

// Called before anything is opened by its name. The next sync covers the
// directory, as it would have done anyway.
absl::Status PartitionWriter::NameAdopted() {
  if (!has_unnamed()) return absl::OkStatus();
  unsynced_.NoteExpectedNames();
  return adopted_->TakeName(*directory_);
}

// Called at the first stamp, so that only logs that stamp pay for it.
absl::Status PartitionWriter::LearnLastStamp(int64_t now_ms) {
  if (last_stamp_is_known_) return absl::OkStatus();
  const absl::StatusOr<int64_t> stamp_ms =
      FindLastStamp(*directory_, *segments_, now_ms);
  if (!stamp_ms.ok()) return stamp_ms.status();
  last_append_time_ms_ = std::max(last_append_time_ms_, *stamp_ms);
  last_stamp_is_known_ = true;
  return absl::OkStatus();
}

absl::Status PartitionWriter::OpenActive() {
  if (absl::Status status = NameAdopted(); !status.ok()) return status;
  const std::optional<int64_t> last = segments_->last_base_offset();
  if (!last.has_value() || needs_new_segment_) {
    absl::Status status = CreateActive();
    if (status.ok())
      AddProducerFiles(std::nullopt, PartitionProducers::LogEnd::kRoll);
    return status;
  }
  if (absl::Status status = producers_.OpenSegment(*last); !status.ok())
    return status;
  if (const auto closed = closed_.lock(); closed != nullptr)
    closed->LeaveFile();
  absl::StatusOr<std::shared_ptr<Segment>> segment =
      Segment::OpenForAppend(*directory_, *last, *config_);
  if (!segment.ok()) return segment.status();
  segments_->PutLast(*segment);
  active_ = *std::move(segment);
  window_ = PopulateWindow();
  window_.Advance(active_->size(), 0);
  roll_.Begin(AppendTimeMs(environment_->clock->NowMs()),
              config_->max_segment_ms());
  return absl::OkStatus();
}

absl::Status PartitionWriter::CreateActive() {
  absl::StatusOr<std::shared_ptr<Segment>> segment =
      Segment::Create(*directory_, next_offset_, *config_);
  if (!segment.ok()) return segment.status();
  Activate(*std::move(segment));
  return absl::OkStatus();
}

void PartitionWriter::Activate(std::shared_ptr<Segment> segment) {
  CHECK_EQ(segment->base_offset(), next_offset_);
  CHECK_EQ(segment->size(), 0);
  // What may throw comes before what changes.
  const int64_t created_ms = AppendTimeMs(environment_->clock->NowMs());
  const int64_t jitter_ms = DrawJitterMs();
  segments_->PutLast(segment);
  unsynced_.NoteNames();
  needs_new_segment_ = false;
  window_.BeginSegment(segment->populated_ahead());
  active_ = std::move(segment);
  roll_.Begin(created_ms, config_->max_segment_ms() - jitter_ms);
}

int64_t PartitionWriter::DrawJitterMs() const {
  const int64_t jitter_max =
      std::min(config_->segment_jitter_ms, config_->max_segment_ms());
  if (jitter_max <= 0) return 0;
  return static_cast<int64_t>(environment_->Random() %
                              static_cast<uint64_t>(jitter_max));
}

inline bool PartitionWriter::Accepts(const IncomingBatch& batch) const {
  DCHECK_GE(batch.now_ms(), 0);
  return batch.size() <= config_->batch_size_max() &&
         next_offset_ <= kMaxOffset - batch.last_offset_delta() - 1 &&
         config_->AcceptsTimestamp(batch.max_timestamp_ms(), batch.now_ms());
}

absl::Status PartitionWriter::RefusalOf(const IncomingBatch& batch) const {
  if (batch.size() > config_->batch_size_max()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a batch of ", batch.size(), " bytes is larger than ",
        config_->max_message_bytes <= config_->segment_bytes
            ? "max.message.bytes"
            : "segment.bytes",
        " (", config_->batch_size_max(), "): raise it, or split the record"));
  }
  absl::Status status =
      config_->CheckTimestamp(batch.max_timestamp_ms(), batch.now_ms());
  if (!status.ok()) return status;
  return absl::ResourceExhaustedError(
      absl::StrCat(directory_->path(), ": offsets are used up"));
}

inline absl::StatusOr<PlacedBatch> PartitionWriter::Place(
    IncomingBatch& batch, const ProducerBatch& producer) {
  const bool stamps =
      config_->message_timestamp_type == TimestampType::kLogAppendTime;
  if (stamps) {
    absl::Status status = LearnLastStamp(batch.now_ms());
    if (!status.ok()) return status;
  }
  // Stamped times never go back, whatever the clock does.
  const int64_t append_time_ms = std::max(last_append_time_ms_, batch.now_ms());
  if (stamps) batch.Stamp(append_time_ms);
  if (!Accepts(batch)) return RefusalOf(batch);
  const RollWatch::Append append = {
      .size = batch.size(),
      .last_offset = next_offset_ + batch.last_offset_delta(),
      .max_timestamp_ms = batch.max_timestamp_ms(),
      .now_ms = batch.now_ms()};
  if (!roll_.Fits(*active_, append)) {
    if (absl::Status status = MakeRoom(append); !status.ok()) return status;
  }
  DCHECK(active_->size() > 0 || active_->base_offset() == next_offset_);
  producers_.Prepare(producer, active_->base_offset());  // may throw
  DCHECK_GE(epochs_.current(), 0);
  last_append_time_ms_ = append_time_ms;
  const BatchPlacement placement = {
      .base_offset = next_offset_,
      .leader_epoch = epochs_.current(),
      .timestamp_type = config_->message_timestamp_type,
      .append_time_ms = append_time_ms};
  batch.PlaceAt(active_->write_at(), placement);
  if (absl::Status status = active_->WriteOut(batch.size()); !status.ok())
    return status;
  // Before it is published: were that to throw, no offset may be given twice.
  next_offset_ += int64_t{batch.last_offset_delta()} + 1;
  active_->Publish({.size = batch.size(),
                    .last_offset = next_offset_ - 1,
                    .max_timestamp_ms = batch.max_timestamp_ms()});
  return PlacedBatch{.base_offset = placement.base_offset,
                     .timestamp_ms = batch.max_timestamp_ms()};
}

absl::StatusOr<PlacedBatch> PartitionWriter::Append(
    IncomingBatch batch, const ProducerBatch& producer) {
  CHECK(is_open());
  // The common case is a batch without a producer.
  const bool has_producer = producer.kind != ProducerBatch::Kind::kNone;
  if (has_producer) {
    const ProducerVerdict verdict =
        producers_.Judge(producer, AppendOrigin::kClient);
    if (verdict == ProducerVerdict::kRefused)
      return producers_.RefusalOf(producer, AppendOrigin::kClient);
    if (verdict == ProducerVerdict::kDuplicate) {
      const KeptBatch kept = producers_.DuplicateOf(producer);
      return PlacedBatch{.base_offset = kept.first_offset(),
                         .timestamp_ms = kept.timestamp_ms,
                         .is_duplicate = true};
    }
  }
  absl::StatusOr<PlacedBatch> placed = Place(batch, producer);
  if (has_producer && placed.ok()) {
    producers_.Note(producer,
                    {.base_offset = placed->base_offset,
                     .timestamp_ms = placed->timestamp_ms},
                    active_->base_offset());
  }
  return placed;
}

absl::Status PartitionWriter::MakeRoom(const RollWatch::Append& append) {
  if (roll_unfinished_ ||
      roll_.IsDue(*active_, append, config_->segment_bytes)) {
    if (absl::Status status = Roll(); !status.ok()) return status;
  }
  if (active_->needs_blocks(append.size)) meters_->append_allocations.Add();
  return active_->Reserve(append.size);
}

absl::Status PartitionWriter::RollIfWritten() {
  CHECK(is_open());
  return active_->size() == 0 ? absl::OkStatus() : Roll();
}

void PartitionWriter::ConfigChanged() {
  roll_.LimitTime(config_->max_segment_ms());
  if (!is_open()) return;
  if (ready_ != nullptr && !ready_->Fits(*config_)) DropReady();
  if (active_->size() > 0 || active_->capacity() == config_->segment_bytes)
    return;
  unsynced_.Reserve();
  unsynced_.AddSealed(std::move(active_));
  active_ = nullptr;
}

// Returns whether there is no file of that base offset now, so that appends may
// pass it.
bool PartitionWriter::RemoveSegmentFile(int64_t base_offset) {
  return directory_
      ->RemoveFileIfThere(SegmentFileName(base_offset, SegmentFileKind::kLog))
      .ok();
}

// The sync after the append trims the full segment, and names an adopted one.
absl::Status PartitionWriter::Roll() {
  const StopWatch watch(environment_->clock, &meters_->roll_ns);
  // May throw: not after the swap.
  unsynced_.Reserve();
  auto due = producers_.FilesDue(active_->base_offset(), next_offset_);
  roll_unfinished_ = true;
  roll_.AskAgain();
  std::shared_ptr<Segment> full = active_;
  CHECK_GT(full->size(), 0);  // or the next one had its name
  if (ready_ != nullptr) {
    const std::unique_ptr<ReadySegment> ready = std::move(ready_);
    try {
      auto adopted = std::move(*ready).Adopt(next_offset_, *config_);
      Activate(adopted);
      adopted_ = std::move(adopted);
    } catch (...) {
      // The files became no segment. Those that cannot be removed are replaced
      // when the next one is made ready, or removed at the next open.
      ReadySegment::RemoveFiles(*directory_).IgnoreError();
      throw;
    }
    meters_->ready_rolls.Add();
  } else if (absl::Status status = CreateActive(); !status.ok()) {
    roll_unfinished_ = !RemoveSegmentFile(next_offset_);
    return status;
  }
  unsynced_.AddSealed(std::move(full));
  if (due != nullptr) {
    producers_.NoteDue(*due, PartitionProducers::LogEnd::kRoll);
    unsynced_.AddProducerFiles(std::move(due));
  }
  roll_unfinished_ = false;
  rolled_ = true;
  watch.Stop();
  return absl::OkStatus();
}

PartitionWriter::Preparation PartitionWriter::PlanPreparation(int64_t budget) {
  if (!is_open()) return {};
  Preparation plan = {.active = active_,
                      .bytes = window_.Advance(active_->size(), budget),
                      .after = MappedFile::AfterPopulating::kLeaveDirty};
  if (WantsReady()) plan.next_segment = *config_;
  if (synced_since_plan_) plan.after = MappedFile::AfterPopulating::kSync;
  synced_since_plan_ = false;
  return plan;
}

bool PartitionWriter::WantsReady() const {
  if (ready_ != nullptr || (adopted_ != nullptr && !adopted_->has_name())) {
    return false;
  }
  return active_ != nullptr && active_->size() > active_->capacity() / 2;
}

std::unique_ptr<ReadySegment> PartitionWriter::PutReady(
    std::unique_ptr<ReadySegment> ready) {
  if (!WantsReady() || !ready->Fits(*config_)) return ready;
  ready_ = std::move(ready);
  return nullptr;
}

// Files that cannot be removed are removed at the next open, or replaced
// before.
void PartitionWriter::DropReady() {
  if (ready_ == nullptr) return;
  ready_ = nullptr;
  ReadySegment::RemoveFiles(*directory_).IgnoreError();  // they do no harm
}

absl::Status PartitionWriter::Close() {
  if (absl::Status status = CheckWritable(); !status.ok()) return status;
  if (!is_open()) {
    if (epochs_.needs_checkpoint()) {
      absl::Status status = epochs_.Begin(next_offset_);
      if (!status.ok()) return status;
    }
    AddProducerFiles(std::nullopt, PartitionProducers::LogEnd::kClose);
    return absl::OkStatus();
  }
  DropReady();
  unsynced_.Reserve();
  AddProducerFiles(active_->base_offset(), PartitionProducers::LogEnd::kClose);
  closed_ = active_;
  unsynced_.AddSealed(std::move(active_));
  active_ = nullptr;
  return absl::OkStatus();
}

// The next sync writes them.
void PartitionWriter::AddProducerFiles(std::optional<int64_t> segment_base,
                                       PartitionProducers::LogEnd end) {
  auto due = producers_.FilesDue(segment_base, next_offset_);
  if (due == nullptr) return;
  unsynced_.Reserve();
  producers_.NoteDue(*due, end);
  unsynced_.AddProducerFiles(std::move(due));
}

void PartitionWriter::Abandon() {
  active_ = nullptr;
  ready_ = nullptr;
  adopted_ = nullptr;
  unsynced_.Clear();
}

PendingSync PartitionWriter::BeginSync() {
  PendingSync files = unsynced_.Begin(active_, next_offset_);
  synced_since_plan_ = true;
  return files;
}

void PartitionWriter::EndSync(const PendingSync& files, SyncEnd end) {
  unsynced_.End(files, end);
  if (end == SyncEnd::kNotSynced) return;
  for (const auto& due : files.producer_files) producers_.NoteWritten(*due);
}

}  // namespace varve
