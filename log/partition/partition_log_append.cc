// SPDX-License-Identifier: Apache-2.0

// The part of a partition's log that appends.

#include <atomic>
#include <cstdint>
#include <new>
#include <optional>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "varve/log/batch/batch_admission.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/incoming_batch.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_timestamp.h"
#include "varve/log/compression/compression_buffers.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/partition/append_callback.h"
#include "varve/log/partition/append_completion.h"
#include "varve/log/partition/append_result.h"
#include "varve/log/partition/partition_log.h"
#include "varve/log/partition/partition_notices.h"
#include "varve/log/partition/partition_writer.h"
#include "varve/log/producer/producer_batch.h"
#include "varve/log/producer/producer_refusal.h"
#include "varve/log/system/errno_status.h"

namespace varve {
namespace {

// Of single records.
constexpr ProducerBatch kNoProducerBatch;

// Whether the log accepts the batch, and what it says of its producer.
absl::StatusOr<ProducerBatch> CheckBatch(const RecordBatch& batch) {
  if (absl::Status status = CheckBatchHeader(batch); !status.ok())
    return status;
  absl::StatusOr<ProducerBatch> producer = ProducerBatch::Read(batch);
  if (!producer.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("a control batch that is no marker of a transaction: ",
                     producer.status().message()));
  }
  return producer;
}

}  // namespace

absl::StatusOr<AppendResult> PartitionLog::Append(const Record& record,
                                                  Durability durability) {
  return meters_->Append(durability, [&]() -> absl::StatusOr<AppendResult> {
    const int64_t now_ms = AppendTimeMs(environment_.clock->NowMs());
    const absl::StatusOr<int64_t> timestamp_ms =
        RecordTimestampMs(record, now_ms);
    if (!timestamp_ms.ok()) return timestamp_ms.status();
    return AppendBatch(IncomingBatch(record, *timestamp_ms, now_ms),
                       kNoProducerBatch, {.durability = durability});
  });
}

absl::StatusOr<AppendResult> PartitionLog::Append(const EncodedBatch& batch,
                                                  Durability durability) {
  return meters_->Append(durability, [&]() -> absl::StatusOr<AppendResult> {
    const absl::StatusOr<ProducerBatch> producer = CheckBatch(batch.batch());
    if (!producer.ok()) return producer.status();
    return AppendBatch(
        IncomingBatch(batch, AppendTimeMs(environment_.clock->NowMs())),
        *producer, {.durability = durability});
  });
}

// It takes as long as a kMemory append.
absl::StatusOr<AppendResult> PartitionLog::AppendAsync(
    const Record& record, AppendCallback callback) {
  return meters_->Append(
      Durability::kMemory, [&]() -> absl::StatusOr<AppendResult> {
        const int64_t now_ms = AppendTimeMs(environment_.clock->NowMs());
        const absl::StatusOr<int64_t> timestamp_ms =
            RecordTimestampMs(record, now_ms);
        if (!timestamp_ms.ok()) return timestamp_ms.status();
        absl::StatusOr<AppendCompletions> pending =
            pending_.Make(std::move(callback));
        if (!pending.ok()) return pending.status();
        return AppendBatch(
            IncomingBatch(record, *timestamp_ms, now_ms), kNoProducerBatch,
            {.durability = Durability::kSynced, .pending = &*pending});
      });
}

absl::StatusOr<AppendResult> PartitionLog::AppendAsync(
    const EncodedBatch& batch, AppendCallback callback) {
  return meters_->Append(
      Durability::kMemory, [&]() -> absl::StatusOr<AppendResult> {
        const absl::StatusOr<ProducerBatch> producer =
            CheckBatch(batch.batch());
        if (!producer.ok()) return producer.status();
        absl::StatusOr<AppendCompletions> pending =
            pending_.Make(std::move(callback));
        if (!pending.ok()) return pending.status();
        return AppendBatch(
            IncomingBatch(batch, AppendTimeMs(environment_.clock->NowMs())),
            *producer,
            {.durability = Durability::kSynced, .pending = &*pending});
      });
}

absl::StatusOr<AppendResult> PartitionLog::AppendBatch(
    const IncomingBatch& batch, const ProducerBatch& producer,
    const Appending& how) {
  return stored_compression_.keeps_all()
             ? AppendAsIs(batch, producer, how)
             : AppendReencoded(batch, producer, how);
}

// It takes far longer than the rest of an append, so other appends do not wait
// for it.
absl::StatusOr<AppendResult> PartitionLog::AppendReencoded(
    const IncomingBatch& batch, const ProducerBatch& producer,
    const Appending& how) {
  if (state_.has_ended()) return state_.EndedError();
  CompressionBuffers buffers;
  const absl::StatusOr<std::optional<EncodedBatch>> stored =
      stored_compression_.Encode(batch, buffers);
  if (!stored.ok()) return stored.status();
  if (!stored->has_value()) return AppendAsIs(batch, producer, how);
  return AppendAsIs(IncomingBatch(**stored, batch.now_ms()), producer, how);
}

absl::StatusOr<AppendResult> PartitionLog::AppendAsIs(
    const IncomingBatch& batch, const ProducerBatch& producer,
    const Appending& how) {
  AppendResult result;
  bool needs_sync = false;
  bool rolled = false;
  NoteUse();
  {
    absl::MutexLock lock(&mu_);
    if (!state_.is_open() || !writer_.is_open()) {
      if (absl::Status status = PrepareAppend(); !status.ok()) return status;
    }
    absl::StatusOr<PlacedBatch> placed = writer_.Append(batch, producer);
    if (!placed.ok()) {
      // It may have begun a segment, in which there is no room.
      if (writer_.has_unsynced_sealed()) listener_->SyncWanted();
      return ProducerRefusalOf(placed.status()).has_value()
                 ? placed.status()
                 : NoteFailure(placed.status());
    }
    if (!placed->is_duplicate) {
      DCHECK_EQ(placed->base_offset, visible_end());
      if (how.durability != Durability::kSynced && ends_.NoteWeakAppend())
        waiters_.NotifyAll();
      meters_->NoteBatch(batch.record_count(), batch.size());
      rolled = PublishEnd(producer);
    }
    result = {.offset = placed->base_offset,
              .next_offset = placed->base_offset + batch.record_count(),
              .timestamp = TimeOfTimestamp(placed->timestamp_ms),
              .is_duplicate = placed->is_duplicate};
    needs_sync = syncer_.NeedsSync(how.durability, config_, batch.now_ms());
    if (needs_sync && how.pending != nullptr) {
      pending_.Add(std::move(*how.pending), result);
      needs_sync = syncer_.HasTooManyUnsynced();
    }
  }
  if (how.pending != nullptr) {
    AfterAsyncAppend(rolled, needs_sync);
    return result;
  }
  if (rolled) listener_->SegmentRolled(*this);
  if (!needs_sync) return result;
  absl::Status status = syncer_.SyncTo(result.next_offset);
  if (LeavesAllAsItWas(status)) {
    status = absl::UnavailableError(
        absl::StrCat("offset ", result.offset,
                     " is appended and not yet durable: ", status.message()));
  }
  if (!status.ok()) return status;
  return result;
}

// It is appended, and called back: whatever fails here, a repetition of the
// append would be there twice.
void PartitionLog::AfterAsyncAppend(bool rolled, bool needs_sync) {
  try {
    if (rolled) listener_->SegmentRolled(*this);
    // The callback gets the status.
    if (needs_sync) syncer_.SyncTo(visible_end()).IgnoreError();
  } catch (const std::bad_alloc&) {
    // Limits are looked at again in time, and the sync is still wanted.
  }
}

absl::Status PartitionLog::PrepareAppend() {
  while (true) {
    if (absl::Status status = state_.StatusOfWrite(); !status.ok())
      return status;
    if (writer_.is_open()) return absl::OkStatus();
    if (absl::Status status = OpenWriterUnlocked(); !status.ok()) return status;
  }
}

// A full disk or a bad argument has changed nothing; after any other failure
// the contents of the files are unknown.
absl::Status PartitionLog::NoteFailure(const absl::Status& status) {
  if (LeavesAllAsItWas(status)) return status;
  const bool is_first = state_.Poison(status);
  absl::Status poison = state_.failure();
  if (is_first) {
    waiters_.NotifyAll();
    pending_.Fail(poison);
    NotePoisoned(*meters_, environment_, directory_->path(), poison);
  }
  return poison;
}

bool PartitionLog::PublishEnd(const ProducerBatch& producer) {
  if (producer.kind != ProducerBatch::Kind::kNone)
    ends_.SetUndecided(writer_.producers().undecided());
  ends_.SetVisible(writer_.next_offset());
  waiters_.NotifyVisible();
  const bool rolled = writer_.TakeRolled();
  if (rolled) listener_->SyncWanted();
  if (writer_.TakePreparationDue()) {
    preparation_wanted_.store(true, std::memory_order_release);
    listener_->PreparationWanted();
  }
  return rolled;
}

}  // namespace varve
