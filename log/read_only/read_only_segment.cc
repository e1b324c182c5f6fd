// SPDX-License-Identifier: Apache-2.0

#include "varve/log/read_only/read_only_segment.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/system/file_system.h"

namespace varve {

absl::StatusOr<std::shared_ptr<ReadOnlySegment>> ReadOnlySegment::Open(
    Directory& directory, int64_t base_offset) {
  absl::StatusOr<std::unique_ptr<File>> file = directory.OpenFile(
      SegmentFileName(base_offset, SegmentFileKind::kLog), OpenMode::kRead);
  if (!file.ok()) return file.status();
  return std::shared_ptr<ReadOnlySegment>(
      new ReadOnlySegment(*std::move(file), base_offset));
}

absl::StatusOr<int64_t> ReadOnlySegment::Size() const {
  absl::StatusOr<int64_t> size = file_->Size();
  if (!size.ok()) return size;
  // Positions have 31 bits: bytes past that belong to no segment.
  return std::min(*size, kBatchSizeMax);
}

absl::StatusOr<ReadOnlySegment::Piece> ReadOnlySegment::ReadBytes(
    int64_t position, int64_t size) const {
  absl::StatusOr<int64_t> file_size = Size();
  if (!file_size.ok()) return file_size.status();
  if (mapping_ != nullptr) {
    const std::string_view all(mapping_->data(), mapping_->size());
    if (*file_size < static_cast<int64_t>(all.size())) {
      return absl::DataLossError(
          absl::StrCat(path(), ": cut to ", *file_size,
                       " bytes after it was sealed with ", all.size()));
    }
    const size_t begin = std::min(static_cast<size_t>(position), all.size());
    return Piece{
        .pin = mapping_, .bytes = all.substr(begin), .reaches_end = true};
  }
  const int64_t left = std::max(*file_size - position, int64_t{0});
  const auto wanted = static_cast<size_t>(std::min(size, left));
  auto buffer = std::make_shared_for_overwrite<char[]>(wanted);
  absl::StatusOr<size_t> got =
      file_->ReadAt(position, absl::Span<char>(buffer.get(), wanted));
  if (!got.ok()) return got.status();
  DCHECK_LE(*got, wanted) << path();
  const std::string_view bytes(buffer.get(), *got);
  return Piece{
      .pin = std::move(buffer),
      .bytes = bytes,
      .reaches_end = *got < wanted || static_cast<int64_t>(*got) >= left};
}

absl::Status ReadOnlySegment::Map() {
  CHECK(mapping_ == nullptr);
  absl::StatusOr<int64_t> size = Size();
  if (!size.ok()) return size.status();
  absl::StatusOr<std::unique_ptr<Mapping>> mapping =
      file_->Map(static_cast<size_t>(*size), MapAccess::kReadOnly);
  if (!mapping.ok()) return mapping.status();
  mapping_ = *std::move(mapping);
  return absl::OkStatus();
}

}  // namespace varve
