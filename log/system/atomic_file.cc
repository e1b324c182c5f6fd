// SPDX-License-Identifier: Apache-2.0

#include "varve/log/system/atomic_file.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

enum class Durable { kYes, kNo };

// Closes the file on return, so that it is not open when it is renamed.
absl::Status WriteNewFile(Directory& directory, std::string_view name,
                          std::string_view contents, Durable durable) {
  // A crash may have left an older file of this name.
  absl::StatusOr<std::unique_ptr<File>> file =
      directory.OpenFile(name, OpenMode::kCreate);
  if (!file.ok()) return file.status();
  if (absl::Status status = (*file)->Truncate(0); !status.ok()) return status;
  if (absl::Status status = (*file)->WriteAt(0, contents); !status.ok()) {
    return status;
  }
  return durable == Durable::kYes ? (*file)->Sync() : absl::OkStatus();
}

absl::Status Replace(Directory& directory, std::string_view name,
                     std::string_view contents, Durable durable) {
  const std::string temporary = absl::StrCat(name, kTemporarySuffix);
  absl::Status status = WriteNewFile(directory, temporary, contents, durable);
  if (status.ok()) status = directory.Rename(temporary, name);
  if (!status.ok()) {
    // Another failure would only hide the first, and a file that stays means
    // nothing.
    directory.RemoveFile(temporary).IgnoreError();
  }
  return status;
}

}  // namespace

absl::StatusOr<std::string> ReadWholeFile(Directory& directory,
                                          std::string_view name,
                                          int64_t size_max) {
  absl::StatusOr<std::unique_ptr<File>> file =
      directory.OpenFile(name, OpenMode::kRead);
  if (!file.ok()) return file.status();
  const absl::StatusOr<int64_t> size = (*file)->Size();
  if (!size.ok()) return size.status();
  if (*size > size_max) {
    return absl::DataLossError(absl::StrCat((*file)->path(), ": it has ", *size,
                                            " bytes, and may have ", size_max,
                                            " at most"));
  }
  std::string contents(static_cast<size_t>(*size), '\0');
  const absl::StatusOr<size_t> count =
      (*file)->ReadAt(0, absl::MakeSpan(contents));
  if (!count.ok()) return count.status();
  CHECK_LE(*count, contents.size());
  contents.resize(*count);
  return contents;
}

absl::Status ReplaceFile(Directory& directory, std::string_view name,
                         std::string_view contents) {
  absl::Status status = ReplaceFileNameUnsynced(directory, name, contents);
  return status.ok() ? directory.Sync() : status;
}

absl::Status ReplaceFileNameUnsynced(Directory& directory,
                                     std::string_view name,
                                     std::string_view contents) {
  return Replace(directory, name, contents, Durable::kYes);
}

absl::Status ReplaceFileUnsynced(Directory& directory, std::string_view name,
                                 std::string_view contents) {
  return Replace(directory, name, contents, Durable::kNo);
}

}  // namespace varve
