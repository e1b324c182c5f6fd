// SPDX-License-Identifier: Apache-2.0

#include "varve/log/producer_state/producer_files.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "varve/index/transaction_index.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/producer/producer_snapshot.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// A segment has at most 2^31-1 bytes, and a marker more than an entry.
constexpr int64_t kTransactionIndexSizeMax = int64_t{1} << 31;

absl::Status WithPath(const Directory& directory, const std::string& name,
                      const absl::Status& status) {
  return {status.code(),
          absl::StrCat(directory.PathOf(name), ": ", status.message())};
}

bool IsTemporary(std::string_view name) {
  if (!absl::ConsumeSuffix(&name, kTemporarySuffix)) return false;
  const std::optional<SegmentFile> file = ParseSegmentFileName(name);
  return file.has_value() && (file->kind == SegmentFileKind::kSnapshot ||
                              file->kind == SegmentFileKind::kTxnIndex);
}

}  // namespace

absl::StatusOr<ProducerFiles> ListProducerFiles(Directory& directory) {
  const auto entries = directory.List();
  if (!entries.ok()) return entries.status();
  ProducerFiles files;
  for (const DirectoryEntry& entry : *entries) {
    if (IsTemporary(entry.name)) files.temporaries.push_back(entry.name);
    const std::optional<SegmentFile> file = ParseSegmentFileName(entry.name);
    if (!file.has_value()) continue;
    std::vector<int64_t>* const listed =
        file->kind == SegmentFileKind::kSnapshot   ? &files.snapshots
        : file->kind == SegmentFileKind::kTxnIndex ? &files.transaction_indexes
        : file->kind == SegmentFileKind::kLog      ? &files.segments
                                                   : nullptr;
    if (listed != nullptr) listed->push_back(file->base_offset);
  }
  for (std::vector<int64_t>* listed :
       {&files.snapshots, &files.transaction_indexes, &files.segments}) {
    std::sort(listed->begin(), listed->end());
  }
  return files;
}

absl::StatusOr<ProducerSnapshot> ReadProducerSnapshot(Directory& directory,
                                                      int64_t offset) {
  const std::string name = SegmentFileName(offset, SegmentFileKind::kSnapshot);
  const absl::StatusOr<std::string> bytes =
      ReadWholeFile(directory, name, ProducerSnapshot::kSizeMax);
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<ProducerSnapshot> snapshot =
      ProducerSnapshot::Decode(*bytes, offset);
  if (!snapshot.ok()) return WithPath(directory, name, snapshot.status());
  return snapshot;
}

absl::Status WriteProducerSnapshot(Directory& directory,
                                   const ProducerSnapshot& snapshot) {
  return ReplaceFileNameUnsynced(
      directory, SegmentFileName(snapshot.offset, SegmentFileKind::kSnapshot),
      snapshot.Encode());
}

absl::StatusOr<std::string> ReadTransactionIndex(Directory& directory,
                                                 int64_t base_offset) {
  const std::string name =
      SegmentFileName(base_offset, SegmentFileKind::kTxnIndex);
  absl::StatusOr<std::string> bytes =
      ReadWholeFile(directory, name, kTransactionIndexSizeMax);
  if (!bytes.ok()) return bytes;
  const int64_t count = std::ssize(*bytes) / TransactionIndex::kEntrySize;
  if (count * TransactionIndex::kEntrySize != std::ssize(*bytes)) {
    return absl::DataLossError(
        absl::StrCat(directory.PathOf(name), ": ", bytes->size(),
                     " bytes are no whole number of entries of ",
                     TransactionIndex::kEntrySize, " bytes"));
  }
  const TransactionIndex index(base_offset, absl::MakeSpan(*bytes), count);
  if (absl::Status status = index.SanityCheck(); !status.ok())
    return WithPath(directory, name, status);
  return bytes;
}

absl::Status WriteTransactionIndex(Directory& directory, int64_t base_offset,
                                   std::string_view entries) {
  const std::string name =
      SegmentFileName(base_offset, SegmentFileKind::kTxnIndex);
  return entries.empty() ? directory.RemoveFileIfThere(name)
                         : ReplaceFileNameUnsynced(directory, name, entries);
}

}  // namespace varve
