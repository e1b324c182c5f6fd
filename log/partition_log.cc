// SPDX-License-Identifier: Apache-2.0

#include "log/partition_log.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "log/append_event.h"
#include "log/batch_admission.h"
#include "log/batch_placement.h"
#include "log/call_gate.h"
#include "log/durability.h"
#include "log/encoded_batch.h"
#include "log/errno_status.h"
#include "log/log_config.h"
#include "log/partition_meters.h"
#include "log/partition_notices.h"
#include "log/partition_recovery.h"
#include "log/partition_writer.h"
#include "log/read_options.h"
#include "log/ready_segment.h"
#include "log/record.h"
#include "log/record_batches.h"
#include "log/record_timestamp.h"
#include "log/segment_list.h"
#include "log/sync_schedule.h"

namespace varve {
namespace {

// Segments that wait for their last sync, each with three descriptors.
constexpr int64_t kUnsyncedSealedMax = 8;

}  // namespace

PartitionLog::PartitionLog(std::unique_ptr<Directory> directory,
                           const Options& options,
                           const RecoveredLog& recovered)
    : environment_(options.environment),
      sync_interval_(options.sync_interval),
      listener_(options.listener),
      open_segments_(options.open_segments),
      directory_(std::move(directory)),
      meters_(options.meters),
      segments_(directory_.get(), recovered.segment_bases,
                recovered.last_segment_size, open_segments_, &meters_->pins(),
                [listener = listener_] { listener->MakeRoom(); }),
      // What a deletion that was cut short has left.
      trimmed_(directory_.get(), segments_.RemoveBefore(recovered.log_start)),
      segment_facts_(directory_.get(), &segments_, recovered.next_offset),
      ends_(recovered.log_start, recovered.next_offset),
      reader_(directory_->path(), &segments_, &ends_, options.continuity),
      config_(options.config),
      writer_(directory_.get(), &segments_, &config_, &environment_,
              &meters_->store(), recovered),
      sync_schedule_(SyncInterval(options.sync_interval, options.config)) {
  CHECK(listener_ != nullptr);
}

PartitionLog::~PartitionLog() {
  absl::MutexLock lock(&mu_);
  if (!closed_ && writer_.ready())
    TellNotClosed(environment_, directory_->path());
  SetActive(false);
}

absl::StatusOr<AppendResult> PartitionLog::Append(const Record& record,
                                                  Durability durability) {
  const int64_t now_ms = AppendTimeMs(environment_.clock->NowMs());
  const absl::StatusOr<int64_t> timestamp_ms =
      RecordTimestampMs(record, now_ms);
  if (!timestamp_ms.ok()) return timestamp_ms.status();
  return AppendBatch({.size = SingleRecordBatchSize(record),
                      .max_timestamp_ms = *timestamp_ms,
                      .now_ms = now_ms},
                     durability,
                     [&](const BatchPlacement& placement, char* at) {
                       PlaceRecord(record, *timestamp_ms, placement, at);
                     });
}

absl::StatusOr<AppendResult> PartitionLog::Append(const EncodedBatch& batch,
                                                  Durability durability) {
  if (absl::Status status = CheckBatchHeader(batch.batch()); !status.ok())
    return status;
  return AppendBatch({.size = batch.size_bytes(),
                      .last_offset_delta = batch.batch().last_offset_delta(),
                      .max_timestamp_ms = batch.batch().max_timestamp_ms(),
                      .now_ms = AppendTimeMs(environment_.clock->NowMs())},
                     durability,
                     [&](const BatchPlacement& placement, char* at) {
                       PlaceBatch(batch, placement, at);
                     });
}

absl::StatusOr<AppendResult> PartitionLog::AppendBatch(
    const IncomingBatch& batch, Durability durability,
    absl::FunctionRef<void(const BatchPlacement&, char*)> place) {
  AppendResult result;
  bool needs_sync = false;
  bool rolled = false;
  NoteUse();
  {
    absl::MutexLock lock(&mu_);
    if (absl::Status status = PrepareAppend(); !status.ok()) return status;
    absl::StatusOr<PlacedBatch> placed = writer_.Append(batch, place);
    if (!placed.ok()) return NoteFailure(placed.status());
    if (durability != Durability::kSynced) ends_.NoteWeakAppend();
    meters_->NoteBatch(int64_t{batch.last_offset_delta} + 1, batch.size);
    rolled = PublishEnd();
    result = {.offset = placed->base_offset,
              .next_offset = writer_.next_offset(),
              .timestamp = TimeOfTimestamp(placed->timestamp_ms)};
    needs_sync = NeedsSync(durability, batch.now_ms);
  }
  if (rolled) listener_->SegmentRolled(*this);
  if (!needs_sync) return result;
  absl::Status status = SyncTo(result.next_offset);
  if (LeavesAllAsItWas(status)) {
    status = absl::UnavailableError(
        absl::StrCat("offset ", result.offset,
                     " is appended and not yet durable: ", status.message()));
  }
  if (!status.ok()) return status;
  return result;
}

absl::Status PartitionLog::PrepareAppend() {
  while (true) {
    if (closed_) return ClosedError();
    if (!failure_.ok()) return failure_;
    if (writer_.ready()) return absl::OkStatus();
    if (absl::Status status = OpenWriterUnlocked(); !status.ok()) return status;
  }
}

absl::Status PartitionLog::MissingAsLoss(const absl::Status& status) const {
  if (!absl::IsNotFound(status)) return status;
  return ending_.has_ended() ? ClosedError()
                             : absl::DataLossError(status.message());
}

// A full disk or a bad argument changed nothing; after anything else, nobody
// knows what the files hold.
absl::Status PartitionLog::NoteFailure(const absl::Status& status) {
  if (LeavesAllAsItWas(status)) return status;
  if (Poison(status))
    NotePoisoned(*meters_, environment_, directory_->path(), failure_);
  return failure_;
}

bool PartitionLog::Poison(const absl::Status& status) {
  if (!failure_.ok()) return false;
  failure_ = AsPoison(status);
  waiters_.Notify();
  return true;
}

bool PartitionLog::PublishEnd() {
  ends_.SetVisible(writer_.next_offset());
  waiters_.Notify();
  const bool rolled = writer_.TakeRolled();
  if (rolled) listener_->SyncWanted();
  if (writer_.TakePreparationDue()) {
    preparation_wanted_.store(true, std::memory_order_release);
    listener_->PreparationWanted();
  }
  return rolled;
}

void PartitionLog::PrepareAhead(int64_t budget) {
  PartitionWriter::Preparation plan;
  {
    absl::MutexLock lock(&mu_);
    if (closed_ || !failure_.ok()) return;
    plan = writer_.PlanPreparation(budget);
  }
  if (plan.active == nullptr) return;
  const absl::Status prepared =
      plan.active->PrepareAhead(plan.bytes, plan.after);
  if (!prepared.ok() && plan.active->sync_failed()) {
    absl::MutexLock lock(&mu_);
    NoteFailure(prepared).IgnoreError();  // the appends hear of it
    return;
  }
  populated_ahead_.store(plan.active->populated_ahead(),
                         std::memory_order_relaxed);
  if (!plan.next_segment.has_value()) return;
  auto ready = ReadySegment::Create(*directory_, *plan.next_segment);
  if (!ready.ok()) return;
  absl::MutexLock lock(&mu_);
  // Files that cannot be removed are, at the next open.
  if (closed_ || writer_.PutReady(*std::move(ready)) != nullptr)
    ReadySegment::RemoveFiles(*directory_).IgnoreError();
}

// Takes note of the append for the timer, too.
bool PartitionLog::NeedsSync(Durability durability, int64_t now_ms) {
  if (durability == Durability::kSynced) return true;
  // Nobody else does: descriptors would run out.
  if (writer_.unsynced_sealed_count() >= kUnsyncedSealedMax) return true;
  const int64_t unsynced_count = writer_.next_offset() - durable_end();
  if (unsynced_count >= config_.flush_messages) return true;
  const bool is_timed = durability == Durability::kInterval ||
                        config_.flush_ms != LogConfig::kForever;
  if (!is_timed || !sync_schedule_.TakeLookDue(now_ms)) return false;
  const absl::Time now = environment_.clock->Steady();
  if (sync_schedule_.NoteAppend(now)) listener_->SyncWanted();
  return sync_schedule_.IsOverdue(now);
}

absl::StatusOr<RecordBatches> PartitionLog::Read(int64_t offset,
                                                 const ReadOptions& options) {
  if (ending_.has_ended()) return ClosedError();
  NoteUse();
  return UnlessEnded(reader_.Read(offset, options));
}

absl::StatusOr<int64_t> PartitionLog::OffsetForTime(absl::Time time,
                                                    ReadLevel level) {
  const CallGate::Call call = calls_.Enter();
  if (!call.entered() || ending_.has_ended()) return ClosedError();
  NoteUse();
  return UnlessEnded(reader_.OffsetForTime(time, level));
}

absl::Status PartitionLog::WaitFor(int64_t offset, absl::Time deadline,
                                   ReadLevel level) {
  if (readable_end(level) > offset) return absl::OkStatus();
  absl::MutexLock lock(&mu_);
  bool expired = false;
  while (readable_end(level) <= offset && failure_.ok() && !closed_ &&
         !expired) {
    expired = waiters_.Wait(mu_, deadline);
  }
  if (readable_end(level) > offset) return absl::OkStatus();
  if (closed_) return absl::CancelledError(ClosedError().message());
  if (!failure_.ok()) return failure_;
  return absl::DeadlineExceededError(absl::StrCat(
      directory_->path(), ": no record at offset ", offset, " yet"));
}

absl::StatusOr<std::shared_ptr<AppendEvent>> PartitionLog::NewAppendEvent() {
  absl::StatusOr<std::shared_ptr<AppendEvent>> event = AppendEvent::Create();
  if (!event.ok()) return event;
  absl::MutexLock lock(&mu_);
  if (closed_) return ClosedError();
  waiters_.Add(*event);
  return event;
}

absl::Status PartitionLog::Roll() {
  absl::MutexLock lock(&mu_);
  if (absl::Status status = PrepareAppend(); !status.ok()) return status;
  absl::Status status = writer_.RollIfWritten();
  if (writer_.TakeRolled()) listener_->SyncWanted();
  return status.ok() ? status : NoteFailure(status);
}

absl::Status PartitionLog::SetConfig(const LogConfig& config) {
  absl::MutexLock lock(&mu_);
  if (closed_) return ClosedError();
  config_ = config;
  reader_.NoteContinuity(ContinuityOf(config));
  sync_schedule_.set_interval(SyncInterval(sync_interval_, config));
  listener_->SyncWanted();
  if (!failure_.ok()) return absl::OkStatus();
  writer_.ConfigChanged();
  SetActive(writer_.ready());
  return absl::OkStatus();
}

void PartitionLog::Abandon() {
  absl::MutexLock lock(&mu_);
  if (closed_) return;
  closed_ = true;
  ending_.SetDeleted();
  failure_ = ClosedError();
  directory_->Detach();  // and lets go of it
  writer_.Abandon();
  SetActive(false);
  segments_.CloseAll();
  waiters_.Notify();
}

}  // namespace varve
