// SPDX-License-Identifier: Apache-2.0

#include "varve/api/space/free_space_guard.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/functional/function_ref.h"
#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "varve/api/store_options.h"
#include "varve/log/meters/space_refusal.h"
#include "varve/log/system/clock.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

constexpr int64_t kMarginMin = int64_t{64} << 20;

int64_t DefaultResumeBytes(int64_t floor_bytes) {
  return floor_bytes + std::max(kMarginMin, floor_bytes / 4);
}

}  // namespace

FreeSpaceGuard::Marks FreeSpaceGuard::Marks::Of(const StoreOptions& options) {
  const int64_t floor = options.free_space_floor_bytes;
  const int64_t given = options.free_space_resume_bytes;
  return {.floor_bytes = floor,
          .resume_bytes = given > 0 ? given : DefaultResumeBytes(floor)};
}

FreeSpaceGuard::FreeSpaceGuard(std::shared_ptr<Directory> directory,
                               const Marks& marks, Clock* clock)
    : directory_(std::move(directory)), marks_(marks), clock_(clock) {
  CHECK_GT(marks_.floor_bytes, 0);
  CHECK_GT(marks_.resume_bytes, marks_.floor_bytes);
}

void FreeSpaceGuard::SetWake(std::function<void()> wake) {
  absl::MutexLock lock(&mu_);
  wake_ = std::move(wake);
}

absl::Status FreeSpaceGuard::Allocate(const Request& request,
                                      absl::FunctionRef<absl::Status()> call) {
  if (absl::Status status = Admit(request); !status.ok()) return status;
  absl::Status status;
  {
    const absl::Cleanup end = [&] { EndOf(request.bytes); };
    status = call();
  }
  // Others were faster: the disk itself is full. The error of the call counts.
  if (absl::IsResourceExhausted(status)) Look().IgnoreError();
  return status;
}

absl::Status FreeSpaceGuard::Admit(const Request& request) {
  absl::MutexLock lock(&mu_);
  // Without an answer the allocation is made: the disk itself refuses it if it
  // is full, and the duty reports why there is no answer.
  if (IsLookDue(request.bytes)) LookLocked().IgnoreError();
  if (!is_known_) return absl::OkStatus();
  if (!refuses_ && !Fits(request.bytes)) {
    const int64_t step_bytes = std::min(request.bytes, kStepMax);
    if (Fits(step_bytes)) return RefusalOf(request);
    Refuse(step_bytes);
  }
  if (refuses_) return RefusalOf(request);
  taken_bytes_ += request.bytes;
  under_way_bytes_ += request.bytes;
  unseen_bytes_ = std::max<int64_t>(unseen_bytes_ - request.bytes, 0);
  return absl::OkStatus();
}

// Those that began before anything was known were not counted.
void FreeSpaceGuard::EndOf(int64_t bytes) {
  absl::MutexLock lock(&mu_);
  under_way_bytes_ = std::max<int64_t>(under_way_bytes_ - bytes, 0);
}

bool FreeSpaceGuard::IsLookDue(int64_t bytes) const {
  return refuses_ ? clock_->Steady() >= looked_at_ + kLookAgain
                  : bytes > unseen_bytes_;
}

// Both are far from the ends of 64 bits: a disk has less than 2^62 bytes free.
bool FreeSpaceGuard::Fits(int64_t bytes) const {
  return bytes <= free_bytes_ - taken_bytes_ - marks_.floor_bytes;
}

absl::Status FreeSpaceGuard::Look() {
  absl::MutexLock lock(&mu_);
  return LookLocked();
}

absl::Status FreeSpaceGuard::LookLocked() {
  looked_at_ = clock_->Steady();
  const absl::StatusOr<int64_t> free = directory_->FreeBytes();
  if (!free.ok()) return free.status();
  is_known_ = true;
  free_bytes_ = std::clamp<int64_t>(*free, 0, int64_t{1} << 62);
  taken_bytes_ = under_way_bytes_;
  const int64_t left_bytes = free_bytes_ - taken_bytes_ - marks_.floor_bytes;
  unseen_bytes_ = std::clamp<int64_t>(left_bytes / 8, 0, kUnseenMax);
  const bool was_low =
      std::exchange(is_low_, free_bytes_ < marks_.resume_bytes);
  if (is_low_ && !was_low) {
    retention_wanted_ = true;
    wake_();
  }
  if (refuses_ && free_bytes_ - taken_bytes_ >= resume_at_bytes_) {
    Resume();
  } else if (!refuses_ && left_bytes < 0) {
    Refuse(0);
  }
  return absl::OkStatus();
}

void FreeSpaceGuard::Refuse(int64_t step_bytes) {
  refuses_ = true;
  resume_at_bytes_ =
      std::max(marks_.resume_bytes, marks_.floor_bytes + step_bytes);
  retention_wanted_ = true;
  AddChange(FreeSpaceChange::Kind::kAppendsRefused);
}

void FreeSpaceGuard::Resume() {
  refuses_ = false;
  retention_again_at_ = absl::InfiniteFuture();
  AddChange(FreeSpaceChange::Kind::kAppendsResumed);
}

void FreeSpaceGuard::AddChange(FreeSpaceChange::Kind kind) {
  if (changes_.size() >= kChangesMax)
    changes_.erase(changes_.begin(), changes_.begin() + 2);
  changes_.push_back({.kind = kind,
                      .free_bytes = free_bytes_,
                      .floor_bytes = marks_.floor_bytes,
                      .resume_bytes = resume_at_bytes_});
  wake_();
}

std::vector<FreeSpaceChange> FreeSpaceGuard::TakeChanges() {
  absl::MutexLock lock(&mu_);
  return std::exchange(changes_, {});
}

bool FreeSpaceGuard::TakeRetentionWanted() {
  absl::MutexLock lock(&mu_);
  const absl::Time now = clock_->Steady();
  const bool wanted =
      std::exchange(retention_wanted_, false) || now >= retention_again_at_;
  if (wanted && refuses_) retention_again_at_ = now + kRetentionAgain;
  return wanted;
}

void FreeSpaceGuard::WantRetention() {
  absl::MutexLock lock(&mu_);
  retention_wanted_ = true;
}

FreeSpaceGuard::State FreeSpaceGuard::state() const {
  absl::MutexLock lock(&mu_);
  return {.free_bytes = free_bytes_, .is_low = is_low_, .refuses = refuses_};
}

absl::Status FreeSpaceGuard::RefusalOf(const Request& request) const {
  return SpaceRefusalError(absl::StrCat(
      request.path, ": ", request.bytes,
      " bytes more are refused: the disk has ", free_bytes_,
      " bytes free, and free_space_floor_bytes of the store is ",
      marks_.floor_bytes, ". Nothing was appended; make room: appends go on ",
      refuses_ ? absl::StrCat("when ", resume_at_bytes_, " bytes are free")
               : "when that fits"));
}

}  // namespace varve
