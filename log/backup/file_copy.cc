// SPDX-License-Identifier: Apache-2.0

#include "varve/log/backup/file_copy.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
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

}  // namespace

absl::StatusOr<int64_t> CopyBytes(File& source, Directory& destination,
                                  std::string_view name,
                                  const CopyProgress& progress) {
  absl::Status removed = destination.RemoveFile(name);
  if (!removed.ok() && !absl::IsNotFound(removed)) return removed;
  const absl::StatusOr<int64_t> size = source.Size();
  if (!size.ok()) return size.status();
  absl::StatusOr<std::unique_ptr<File>> copy =
      destination.OpenFile(name, OpenMode::kCreateNew);
  if (!copy.ok()) return copy.status();
  const absl::StatusOr<int64_t> copied =
      CopyPieces(source, *size, **copy, progress);
  if (!copied.ok()) return copied.status();
  absl::Status status = (*copy)->Truncate(*copied);
  if (status.ok()) status = (*copy)->Sync();
  if (!status.ok()) return status;
  return *copied;
}

}  // namespace varve
