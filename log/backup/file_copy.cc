// SPDX-License-Identifier: Apache-2.0

#include "varve/log/backup/file_copy.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// Bytes that are read and written at a time.
constexpr int64_t kPieceMax = int64_t{1} << 20;

// Copies all of it but zeros, which are left to be a hole.
absl::StatusOr<int64_t> CopyPieces(File& from, int64_t size, File& to,
                                   const CopyProgress& progress) {
  const int64_t piece_size = std::min(size, kPieceMax);
  const auto piece =
      std::make_unique_for_overwrite<char[]>(static_cast<size_t>(piece_size));
  int64_t at = 0;
  while (at < size) {
    const auto wanted = static_cast<size_t>(std::min(size - at, piece_size));
    const absl::StatusOr<size_t> got =
        from.ReadAt(at, absl::Span<char>(piece.get(), wanted));
    if (!got.ok()) return got.status();
    if (*got == 0) break;  // it was cut
    const std::string_view bytes(piece.get(), *got);
    if (bytes.find_first_not_of('\0') != std::string_view::npos) {
      absl::Status status = to.WriteAt(at, bytes);
      if (!status.ok()) return status;
    }
    at += static_cast<int64_t>(*got);
    if (progress) progress(static_cast<int64_t>(*got));
  }
  return at;
}

absl::StatusOr<int64_t> CopyAll(File& source, File& copy,
                                const CopyProgress& progress) {
  const absl::StatusOr<int64_t> size = source.Size();
  if (!size.ok()) return size.status();
  const absl::StatusOr<int64_t> copied =
      CopyPieces(source, *size, copy, progress);
  if (!copied.ok()) return copied.status();
  absl::Status status = copy.Truncate(*copied);
  if (status.ok()) status = copy.Sync();
  if (!status.ok()) return status;
  return *copied;
}

}  // namespace

std::string TemporaryNameOf(std::string_view name) {
  return absl::StrCat(name, kTemporarySuffix);
}

absl::StatusOr<int64_t> CopyBytesBeside(File& source, Directory& destination,
                                        std::string_view name,
                                        const CopyProgress& progress) {
  const std::string temporary = TemporaryNameOf(name);
  // A crash may have left one.
  absl::Status removed = destination.RemoveFileIfThere(temporary);
  if (!removed.ok()) return removed;
  absl::StatusOr<std::unique_ptr<File>> copy =
      destination.OpenFile(temporary, OpenMode::kCreateNew);
  if (!copy.ok()) return copy.status();
  absl::StatusOr<int64_t> copied = CopyAll(source, **copy, progress);
  // The first error is the one to report.
  if (!copied.ok()) destination.RemoveFile(temporary).IgnoreError();
  return copied;
}

absl::StatusOr<int64_t> CopyBytes(File& source, Directory& destination,
                                  std::string_view name,
                                  const CopyProgress& progress) {
  absl::StatusOr<int64_t> copied =
      CopyBytesBeside(source, destination, name, progress);
  if (!copied.ok()) return copied;
  absl::Status status = destination.Rename(TemporaryNameOf(name), name);
  if (!status.ok()) return status;
  return copied;
}

}  // namespace varve
