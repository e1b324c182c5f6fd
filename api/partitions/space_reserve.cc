// SPDX-License-Identifier: Apache-2.0

#include "varve/api/partitions/space_reserve.h"

#include <cstdint>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "varve/api/catalog/store_files.h"
#include "varve/log/system/file_system.h"

namespace varve {

void SpaceReserve::Refill() {
  if (is_full_) return;
  is_full_ = Make().ok();
  // The file that a failure leaves would only take room. If it cannot be
  // removed now, the next failure removes it.
  if (!is_full_) directory_->RemoveFile(kReserveName).IgnoreError();
}

absl::Status SpaceReserve::Make() {
  absl::StatusOr<std::unique_ptr<File>> file =
      directory_->OpenFile(kReserveName, OpenMode::kCreate);
  if (!file.ok()) return file.status();
  const absl::StatusOr<int64_t> size = (*file)->Size();
  if (!size.ok()) return size.status();
  if (*size >= kSizeBytes) return absl::OkStatus();
  return (*file)->Allocate(*size, kSizeBytes);
}

absl::Status SpaceReserve::Write(absl::FunctionRef<absl::Status()> write) {
  absl::Status status = write();
  if (absl::IsResourceExhausted(status) && is_full_) {
    is_full_ = false;
    absl::Status removed = directory_->RemoveFile(kReserveName);
    if (removed.ok()) status = write();
  }
  // The replaced file has given its room back, so there is as much as before.
  if (status.ok()) Refill();
  return status;
}

}  // namespace varve
