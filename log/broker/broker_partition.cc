// SPDX-License-Identifier: Apache-2.0

#include "varve/log/broker/broker_partition.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "varve/log/broker/loaded_files.h"
#include "varve/log/metadata/continuity.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/segment/file_batch_scanner.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/system/file_system.h"
#include "varve/log/system/file_system_type.h"

namespace varve {
namespace {

// Listings that are made until two in a row are the same. A cleaner that swaps
// segments renames a few files, and is done.
constexpr int kListingsMax = 100;

bool AreSame(const std::vector<DirectoryEntry>& a,
             const std::vector<DirectoryEntry>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const DirectoryEntry& x, const DirectoryEntry& y) {
                      return x.name == y.name && x.kind == y.kind;
                    });
}

absl::StatusOr<int64_t> NextOffsetOf(File& log, int64_t size,
                                     int64_t base_offset) {
  FileBatchScanner scanner(log, size,
                           {.position = 0, .base_offset = base_offset},
                           {.continuity = Continuity::kGapsAllowed});
  while (scanner.Peek() != nullptr) scanner.Advance();
  if (!scanner.status().ok()) return scanner.status();
  return scanner.expected_offset();
}

}  // namespace

BrokerPartition::BrokerPartition(std::unique_ptr<Directory> base, Owner owner)
    : Directory(base->path()), base_(std::move(base)), owner_(owner) {}

absl::StatusOr<std::unique_ptr<File>> BrokerPartition::OpenFile(
    std::string_view name, OpenMode mode) {
  if (mode != OpenMode::kRead) return ReadOnlyError();
  std::string stored;
  {
    absl::MutexLock lock(&mu_);
    if (!has_looked_) {
      if (absl::Status status = Look().status(); !status.ok()) return status;
    }
    if (loaded_.IsHidden(name)) {
      return absl::NotFoundError(absl::StrCat(
          PathOf(name), ": compaction has replaced it, or is about to"));
    }
    stored = loaded_.StoredName(name);
  }
  absl::StatusOr<std::unique_ptr<File>> file =
      base_->OpenFile(stored, OpenMode::kRead);
  // A replacement that was under way may be complete by now.
  if (absl::IsNotFound(file.status()) && stored != name)
    return base_->OpenFile(name, OpenMode::kRead);
  return file;
}

absl::StatusOr<FileSystemType> BrokerPartition::Type() { return base_->Type(); }

absl::StatusOr<std::vector<DirectoryIdentity>> BrokerPartition::Lineage() {
  return base_->Lineage();
}

absl::StatusOr<std::vector<DirectoryEntry>> BrokerPartition::List() {
  absl::MutexLock lock(&mu_);
  return Look();
}

absl::StatusOr<std::vector<DirectoryEntry>> BrokerPartition::Look() {
  absl::StatusOr<std::vector<DirectoryEntry>> listed = ListSteadily();
  if (!listed.ok()) return listed;
  std::vector<DirectoryEntry> entries;
  std::vector<std::string> names;
  for (DirectoryEntry& entry : *listed) {
    if (entry.kind == EntryKind::kFile) {
      names.push_back(std::move(entry.name));
    } else {
      entries.push_back(std::move(entry));
    }
  }
  absl::StatusOr<LoadedFiles> loaded =
      LoadedFiles::Of(names, owner_, [this](int64_t base_offset) {
        mu_.AssertHeld();
        return EndOfSwap(base_offset);
      });
  if (!loaded.ok()) return loaded.status();
  loaded_ = *std::move(loaded);
  has_looked_ = true;
  for (std::string& name : loaded_.names())
    entries.push_back({.name = std::move(name), .kind = EntryKind::kFile});
  std::sort(entries.begin(), entries.end(),
            [](const DirectoryEntry& a, const DirectoryEntry& b) {
              return a.name < b.name;
            });
  return entries;
}

absl::StatusOr<std::vector<DirectoryEntry>> BrokerPartition::ListSteadily() {
  absl::StatusOr<std::vector<DirectoryEntry>> before = base_->List();
  for (int i = 1; before.ok() && i < kListingsMax; ++i) {
    absl::StatusOr<std::vector<DirectoryEntry>> now = base_->List();
    if (!now.ok() || AreSame(*before, *now)) return now;
    before = std::move(now);
  }
  if (!before.ok()) return before;
  return absl::UnavailableError(absl::StrCat(
      path(), ": compaction renames files as fast as they are listed"));
}

absl::StatusOr<int64_t> BrokerPartition::EndOfSwap(int64_t base_offset) {
  if (owner_ == Owner::kStore) {
    const absl::StatusOr<SegmentSidecar> sidecar =
        ReadCleanedSidecar(*base_, base_offset);
    if (sidecar.ok() && sidecar->cleaned_to.has_value())
      return *sidecar->cleaned_to;
  }
  const std::string name = SegmentFileName(base_offset, SegmentFileKind::kLog);
  absl::StatusOr<std::unique_ptr<File>> log =
      base_->OpenFile(absl::StrCat(name, ".swap"), OpenMode::kRead);
  // It has its name since it was listed.
  if (absl::IsNotFound(log.status()))
    log = base_->OpenFile(name, OpenMode::kRead);
  if (!log.ok()) return log.status();
  const absl::StatusOr<int64_t> size = (*log)->Size();
  if (!size.ok()) return size.status();
  SwapEnd& known = swap_ends_[base_offset];
  if (known.size_bytes != *size || known.next_offset < base_offset) {
    const absl::StatusOr<int64_t> end = NextOffsetOf(**log, *size, base_offset);
    if (!end.ok()) return end.status();
    known = {.size_bytes = *size, .next_offset = *end};
  }
  return known.next_offset;
}

// What the broker's files take on the disk: also those on their way out.
absl::StatusOr<int64_t> BrokerPartition::DiskBytes() {
  return base_->DiskBytes();
}

absl::StatusOr<int64_t> BrokerPartition::FreeBytes() {
  return base_->FreeBytes();
}

absl::Status BrokerPartition::ReadOnlyError() const {
  return absl::FailedPreconditionError(absl::StrCat(
      path(), owner_ == Owner::kBroker
                  ? ": belongs to a Kafka broker, so it is only read"
                  : ": is only read here"));
}

absl::Status BrokerPartition::Rename(std::string_view /*from*/,
                                     std::string_view /*to*/) {
  return ReadOnlyError();
}

absl::Status BrokerPartition::RemoveFile(std::string_view /*name*/) {
  return ReadOnlyError();
}

absl::Status BrokerPartition::Sync() { return ReadOnlyError(); }

absl::StatusOr<std::unique_ptr<Directory>> BrokerPartition::OpenDirectory(
    std::string_view name) {
  return base_->OpenDirectory(name);
}

absl::Status BrokerPartition::CreateDirectory(std::string_view /*name*/) {
  return ReadOnlyError();
}

absl::Status BrokerPartition::RemoveDirectory(std::string_view /*name*/) {
  return ReadOnlyError();
}

}  // namespace varve
