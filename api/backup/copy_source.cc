// SPDX-License-Identifier: Apache-2.0

#include "varve/api/backup/copy_source.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/api/backup/copy_destination.h"
#include "varve/api/catalog/store_files.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// The path of the directory that this one is in.
std::string Above(std::string_view path) {
  path = path.substr(0, path.find_last_not_of('/') + 1);
  const size_t slash = path.rfind('/');
  if (slash == path.npos) return ".";
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

// A directory, and those that it is in, nearest first.
struct Place {
  bool is_there = true;  // no: they begin with the one that it will be made in
  std::vector<DirectoryIdentity> lineage = {};
};

absl::StatusOr<Place> FindPlace(std::string path, FileSystem& files) {
  Place place;
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      files.OpenDirectory(path);
  while (absl::IsNotFound(directory.status())) {
    place.is_there = false;
    std::string above = Above(path);
    if (above == path) break;
    path = std::move(above);
    directory = files.OpenDirectory(path);
  }
  if (!directory.ok()) return directory.status();
  absl::StatusOr<std::vector<DirectoryIdentity>> lineage =
      (*directory)->Lineage();
  if (!lineage.ok()) return lineage.status();
  place.lineage = *std::move(lineage);
  return place;
}

absl::Status CheckReadable(Directory& source) {
  absl::Status status = ReadTopicCatalog(source).status();
  if (!status.ok()) return status;
  // Of a damaged one there are copies, or it is done without.
  std::vector<std::string> notes;
  return ReadStoreCheckpoint(source, notes).status();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Directory>> OpenCopySource(
    const std::string& path, CopyKind kind, FileSystem& files) {
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      files.OpenDirectory(path);
  if (!directory.ok()) {
    return absl::IsNotFound(directory.status())
               ? absl::NotFoundError(absl::StrCat(path, ": there is no store"))
               : directory.status();
  }
  const absl::StatusOr<DirectoryContents> contents =
      InspectDirectory(**directory);
  if (!contents.ok()) return contents.status();
  if (*contents == DirectoryContents::kEmpty)
    return absl::NotFoundError(absl::StrCat(path, ": there is no store in it"));
  if (kind == CopyKind::kRestore && *contents != DirectoryContents::kBackup) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": is a store and no backup (it has no ",
                     kBackupName, "), so nothing is restored from it"));
  }
  absl::Status status = CheckReadable(**directory);
  if (!status.ok()) return status;
  return directory;
}

absl::Status CheckApart(Directory& source, const std::string& destination,
                        FileSystem& files) {
  const absl::StatusOr<std::vector<DirectoryIdentity>> from = source.Lineage();
  if (!from.ok()) return from.status();
  const absl::StatusOr<Place> to = FindPlace(destination, files);
  if (!to.ok()) return to.status();
  std::string_view fault;
  if (to->is_there && to->lineage.front() == from->front()) {
    fault = "is the directory that would be copied to it, ";
  } else if (absl::c_linear_search(to->lineage, from->front())) {
    fault = "lies in the directory that would be copied to it, ";
  } else if (to->is_there &&
             absl::c_linear_search(*from, to->lineage.front())) {
    fault = "has in it the directory that would be copied to it, ";
  } else {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(destination, ": ", fault, source.path(),
                   ": choose a directory that has nothing to do with it"));
}

}  // namespace varve
