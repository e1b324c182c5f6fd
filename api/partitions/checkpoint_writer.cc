// SPDX-License-Identifier: Apache-2.0

#include "varve/api/partitions/checkpoint_writer.h"

#include <cstdint>

#include "absl/cleanup/cleanup.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "varve/api/catalog/store_checkpoint.h"
#include "varve/api/catalog/store_files.h"
#include "varve/api/metrics/store_meters.h"

namespace varve {

int64_t CheckpointWriter::Enter() {
  absl::MutexLock lock(&count_mu_);
  ++writing_;
  return begun_;
}

void CheckpointWriter::Leave() {
  absl::MutexLock lock(&count_mu_);
  --writing_;
}

int64_t CheckpointWriter::Begin() {
  absl::MutexLock lock(&count_mu_);
  return ++begun_;
}

absl::Status CheckpointWriter::Write(Room room) {
  const int64_t begun_before = Enter();
  const absl::Cleanup leave = [this] { Leave(); };
  absl::MutexLock lock(&mu_);
  return written_ <= begun_before ? WriteNow(room) : absl::OkStatus();
}

absl::Status CheckpointWriter::WriteNow(Room room) {
  if (present_ == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat(directory_->path(), ": closed"));
  }
  const int64_t number = Begin();
  const StoreCheckpoint checkpoint = present_();
  const auto write = [&] {
    return WriteStoreCheckpoint(*directory_, checkpoint);
  };
  const bool reserved = room == Room::kReserved;
  absl::Status status = reserved ? reserve_.Write(write) : write();
  if (status.ok()) written_ = number;
  if (status.ok() && !reserved) reserve_.Refill();
  if (status.ok()) meters_->log().checkpoints.Add();
  return status;
}

void CheckpointWriter::RefillReserve() {
  absl::MutexLock lock(&mu_);
  reserve_.Refill();
}

absl::Status CheckpointWriter::WriteWithReserve(
    absl::FunctionRef<absl::Status()> write) {
  absl::MutexLock lock(&mu_);
  return reserve_.Write(write);
}

void CheckpointWriter::Stop() {
  absl::MutexLock lock(&mu_);
  present_ = nullptr;
}

}  // namespace varve
