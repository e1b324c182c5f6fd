// SPDX-License-Identifier: Apache-2.0

#include "varve/api/partitions/store_events.h"

#include <atomic>
#include <memory>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "varve/api/catalog/store_files.h"
#include "varve/api/partitions/checkpoint_writer.h"
#include "varve/api/partitions/limit_keeper.h"
#include "varve/api/partitions/partition_parking.h"
#include "varve/log/partition/append_completion.h"
#include "varve/log/partition/partition_log.h"

namespace varve {

absl::Status StoreEvents::BeforeFirstChange() {
  absl::MutexLock lock(&mu_);
  if (marker_ == Marker::kAbsent) return absl::OkStatus();
  absl::Status status = RemoveCleanShutdownMarker(*directory_);
  if (status.ok()) marker_ = Marker::kAbsent;
  return status;
}

void StoreEvents::SyncWanted() { sync_bell_.Ring(); }

void StoreEvents::PreparationWanted() { prepare_bell_.Ring(); }

void StoreEvents::CheckpointChanged() {
  if (checkpoint_changed_.exchange(true, std::memory_order_acq_rel)) return;
  sync_bell_.Ring();
}

absl::Status StoreEvents::WriteCheckpoint() {
  return checkpoint_writer_->Write(CheckpointWriter::Room::kReserved);
}

absl::Status StoreEvents::WriteTimedCheckpoint() {
  return checkpoint_writer_->Write(CheckpointWriter::Room::kFound);
}

absl::Status StoreEvents::WriteForDeletion(
    absl::FunctionRef<absl::Status()> write) {
  return checkpoint_writer_->WriteWithReserve(write);
}

void StoreEvents::AppendsCompleted(AppendCompletions completed) {
  callbacks_.Add(std::move(completed));
  sync_bell_.Ring();
}

void StoreEvents::MakeRoom() { parking_->MakeRoom(); }

void StoreEvents::SegmentRolled(PartitionLog& log) {
  if (limit_keeper_->Keep(log) == LimitKeeper::Left::kForBackground)
    RetentionWanted(log);
  if (segment_begun_ != nullptr) segment_begun_(log);
}

void StoreEvents::SetHandlers(
    std::shared_ptr<CheckpointWriter> checkpoint_writer,
    std::shared_ptr<PartitionParking> parking,
    std::shared_ptr<LimitKeeper> limit_keeper) {
  checkpoint_writer_ = std::move(checkpoint_writer);
  parking_ = std::move(parking);
  limit_keeper_ = std::move(limit_keeper);
}

bool StoreEvents::marker_present() const {
  absl::MutexLock lock(&mu_);
  return marker_ == Marker::kPresent;
}

}  // namespace varve
