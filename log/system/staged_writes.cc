// SPDX-License-Identifier: Apache-2.0

#include "varve/log/system/staged_writes.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

constexpr int64_t kPageSizeMax = int64_t{64} << 10;

static_assert(StagedWrites::kPiece % kPageSizeMax == 0);

int64_t WholePages(int64_t end) { return end / kPageSizeMax * kPageSizeMax; }

}  // namespace

// The last pages will be stored to, so they are copied.
absl::Status StagedWrites::Load(int64_t size) {
  CHECK_EQ(written_, 0);
  CHECK_LE(size, static_cast<int64_t>(mapping_->size()));
  written_ = size;
  if (absl::Status status = Show(WholePages(size)); !status.ok()) return status;
  const auto rest = static_cast<size_t>(size - shown_);
  const absl::StatusOr<size_t> read =
      file_->ReadAt(shown_, absl::MakeSpan(mapping_->data() + shown_, rest));
  if (!read.ok()) return read.status();
  if (*read < rest) {
    return absl::UnavailableError(
        absl::StrCat(file_->path(), ": became shorter while it was read"));
  }
  show_at_ = size + kPiece;
  return absl::OkStatus();
}

absl::Status StagedWrites::WriteTo(int64_t end) {
  if (end <= written_) return absl::OkStatus();
  const std::string_view bytes(mapping_->data() + written_,
                               static_cast<size_t>(end - written_));
  if (absl::Status status = file_->WriteAt(written_, bytes); !status.ok()) {
    // Bytes that were written in part would only take up the disk. If this
    // fails too, they are overwritten later, or cut by the seal.
    file_->Truncate(written_).IgnoreError();
    return status;
  }
  written_ = end;
  if (end >= show_at_) {
    // If it fails, the piece stays in memory.
    Show(WholePages(end)).IgnoreError();
    show_at_ = end + kPiece;
  }
  return absl::OkStatus();
}

absl::Status StagedWrites::Seal(int64_t size) {
  if (absl::Status status = WriteTo(size); !status.ok()) return status;
  if (absl::Status status = file_->Truncate(size); !status.ok()) return status;
  return Show(size);
}

absl::Status StagedWrites::Show(int64_t end) {
  if (end <= shown_) return absl::OkStatus();
  CHECK_LE(end, written_);  // the file holds what the memory holds
  absl::Status status = file_->ShowIn(*mapping_, shown_, end);
  if (status.ok()) shown_ = end;
  return status;
}

}  // namespace varve
