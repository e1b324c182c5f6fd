// SPDX-License-Identifier: Apache-2.0

#include "varve/log/export/partition_export.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "varve/log/backup/partition_copy.h"
#include "varve/log/export/epoch_reset.h"
#include "varve/log/metadata/checksummed_text.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/leader_epoch_checkpoint.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/producer_state/producer_load.h"
#include "varve/log/recovery/segment_listing.h"
#include "varve/log/segment/segment_sidecar.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/partition_verification.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {
namespace {

// What ReadExported reads. A partition of a broker's never has it.
constexpr std::string_view kExportedName = "exported";
constexpr std::string_view kKind = "varve.exported";
constexpr int64_t kExportedSizeMax = 4096;
constexpr std::string_view kNone = "-";

std::string FormatExported(const PartitionExport& made) {
  return FormatChecksummedText(
      kKind,
      {absl::StrCat(made.log_start, " ", made.first_segment, " ",
                    made.end_offset, " ", made.segments, " ", made.records, " ",
                    made.copied_bytes + made.kept_bytes, " ",
                    made.open_transaction.has_value()
                        ? absl::StrCat(*made.open_transaction)
                        : kNone)});
}

std::optional<PartitionExport> ParseExported(std::string_view text) {
  const absl::StatusOr<std::vector<std::string>> lines =
      ParseChecksummedText(kKind, text);
  if (!lines.ok() || lines->size() != 1) return std::nullopt;
  const std::vector<std::string_view> fields =
      absl::StrSplit(lines->front(), ' ');
  PartitionExport made;
  int64_t open = 0;
  if (fields.size() != 7 || !absl::SimpleAtoi(fields[0], &made.log_start) ||
      !absl::SimpleAtoi(fields[1], &made.first_segment) ||
      !absl::SimpleAtoi(fields[2], &made.end_offset) ||
      !absl::SimpleAtoi(fields[3], &made.segments) ||
      !absl::SimpleAtoi(fields[4], &made.records) ||
      !absl::SimpleAtoi(fields[5], &made.kept_bytes)) {
    return std::nullopt;
  }
  if (fields[6] != kNone) {
    if (!absl::SimpleAtoi(fields[6], &open)) return std::nullopt;
    made.open_transaction = open;
  }
  return made;
}

bool IsOfBroker(std::string_view name) {
  return ParseSegmentFileName(name).has_value() ||
         name == kLeaderEpochCheckpointName || name == kPartitionMetadataName;
}

class PartitionExporter {
 public:
  PartitionExporter(Directory& source, Directory& destination,
                    const PartitionCopyInputs& inputs)
      : source_(source), destination_(destination), inputs_(inputs) {}

  absl::StatusOr<PartitionExport> Run() {
    absl::Status status = Begin();
    if (status.ok()) status = Copy();
    if (status.ok()) status = CheckDamage();
    if (status.ok()) status = MakeSegment();
    if (status.ok()) status = CheckIndexes();
    if (status.ok()) status = ResetAllEpochs();
    if (status.ok()) status = FindOpenTransaction();
    if (status.ok()) status = destination_.Sync();
    if (status.ok()) {
      status = ReplaceFile(destination_, kExportedName, FormatExported(made_));
    }
    if (!status.ok()) return status;
    return made_;
  }

 private:
  // Removes what an earlier call has not finished, but for sealed segments as
  // the store has them, so that it does not take room twice.
  absl::Status Begin() {
    absl::Status status = destination_.RemoveFileIfThere(kExportedName);
    if (status.ok()) status = destination_.Sync();
    if (!status.ok()) return status;
    const absl::StatusOr<std::vector<int64_t>> bases =
        ListSegments(destination_);
    if (!bases.ok()) return bases.status();
    for (const int64_t base_offset : *bases) {
      if (ReadSidecar(destination_, base_offset).ok()) continue;
      status = destination_.RemoveFileIfThere(
          SegmentFileName(base_offset, SegmentFileKind::kLog));
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status Copy() {
    absl::StatusOr<PartitionCopy> copy =
        CopyPartition(source_, destination_, inputs_);
    if (!copy.ok()) return copy.status();
    made_.log_start = copy->checkpoint.log_start;
    made_.end_offset = copy->checkpoint.recovery_point;
    made_.records = copy->verification.counts.records;
    made_.copied_bytes = copy->copied_bytes;
    made_.kept_bytes = copy->kept_bytes;
    verification_ = std::move(copy->verification);
    return absl::OkStatus();
  }

  absl::Status CheckDamage() const {
    for (const VerifyFinding& finding : verification_.findings) {
      if (finding.severity != FindingSeverity::kDamage) continue;
      return absl::DataLossError(absl::StrCat(
          finding.ToString(), ": it is so in ", source_.path(),
          ", too; a broker would cut its log off there, so the topic is not "
          "exported: mend it first, from a backup"));
    }
    return absl::OkStatus();
  }

  // A log without segments begins at 0 for a broker.
  absl::Status MakeSegment() {
    absl::StatusOr<std::vector<int64_t>> bases = ListSegments(destination_);
    if (!bases.ok()) return bases.status();
    bases_ = *std::move(bases);
    if (bases_.empty()) {
      bases_.push_back(made_.end_offset);
      for (const SegmentFileKind kind :
           {SegmentFileKind::kLog, SegmentFileKind::kIndex,
            SegmentFileKind::kTimeIndex}) {
        const std::string name = SegmentFileName(made_.end_offset, kind);
        absl::Status status =
            destination_.OpenFile(name, OpenMode::kCreate).status();
        if (!status.ok()) return status;
      }
    }
    made_.first_segment = bases_.front();
    made_.segments = static_cast<int64_t>(bases_.size());
    return absl::OkStatus();
  }

  // A recovery does without an index that it cannot write.
  absl::Status CheckIndexes() const {
    for (const int64_t base_offset : bases_) {
      for (const SegmentFileKind kind :
           {SegmentFileKind::kIndex, SegmentFileKind::kTimeIndex}) {
        const std::string name = SegmentFileName(base_offset, kind);
        absl::Status status =
            destination_.OpenFile(name, OpenMode::kRead).status();
        if (absl::IsNotFound(status)) {
          return absl::UnavailableError(
              absl::StrCat(destination_.PathOf(name),
                           ": the index could not be made: try again"));
        }
        if (!status.ok()) return status;
      }
    }
    return absl::OkStatus();
  }

  absl::Status ResetAllEpochs() {
    for (const int64_t base_offset : bases_) {
      absl::Status status = ResetEpochs(destination_, base_offset);
      if (!status.ok()) return status;
    }
    // A broker drops an epoch without a record, and does without the file.
    if (made_.log_start == made_.end_offset)
      return destination_.RemoveFileIfThere(kLeaderEpochCheckpointName);
    LeaderEpochs epochs;
    epochs.Assign(0, made_.log_start);
    return WriteLeaderEpochCheckpoint(destination_, epochs);
  }

  absl::Status FindOpenTransaction() {
    const absl::StatusOr<LoadedProducers> producers =
        LoadProducers(destination_, {.log = {.segment_bases = bases_},
                                     .log_start = made_.log_start,
                                     .next_offset = made_.end_offset});
    if (!producers.ok()) return producers.status();
    made_.open_transaction = producers->states.first_unstable_offset();
    return absl::OkStatus();
  }

  Directory& source_;
  Directory& destination_;
  const PartitionCopyInputs& inputs_;
  PartitionVerification verification_;
  std::vector<int64_t> bases_;  // of the segments, ascending
  PartitionExport made_;
};

// Whether the destination has the segment as the source has it, sealed.
bool HasSegment(Directory& source, Directory& destination,
                int64_t base_offset) {
  const absl::StatusOr<SegmentSidecar> theirs =
      ReadSidecar(source, base_offset);
  if (!theirs.ok()) return false;
  const absl::StatusOr<SegmentSidecar> ours =
      ReadSidecar(destination, base_offset);
  return ours.ok() && *ours == *theirs;
}

absl::StatusOr<int64_t> SizeOf(Directory& directory, int64_t base_offset) {
  absl::StatusOr<std::unique_ptr<File>> log = directory.OpenFile(
      SegmentFileName(base_offset, SegmentFileKind::kLog), OpenMode::kRead);
  // It was trimmed meanwhile.
  if (absl::IsNotFound(log.status())) return 0;
  if (!log.ok()) return log.status();
  return (*log)->Size();
}

}  // namespace

absl::StatusOr<PartitionExport> ExportPartition(
    Directory& source, Directory& destination,
    const PartitionCopyInputs& inputs) {
  return PartitionExporter(source, destination, inputs).Run();
}

std::optional<PartitionExport> ReadExported(Directory& destination) {
  const absl::StatusOr<std::string> text =
      ReadWholeFile(destination, kExportedName, kExportedSizeMax);
  return text.ok() ? ParseExported(*text) : std::nullopt;
}

absl::Status SettleExport(Directory& destination, std::optional<TopicId> id) {
  const absl::StatusOr<std::vector<DirectoryEntry>> entries =
      destination.List();
  if (!entries.ok()) return entries.status();
  absl::Status status =
      id.has_value() ? ReplaceFile(destination, kPartitionMetadataName,
                                   FormatPartitionMetadata(*id))
                     : destination.RemoveFileIfThere(kPartitionMetadataName);
  for (const DirectoryEntry& entry : *entries) {
    if (!status.ok()) return status;
    if (!IsOfBroker(entry.name))
      status = destination.RemoveFileIfThere(entry.name);
  }
  return status.ok() ? destination.Sync() : status;
}

absl::StatusOr<ExportSize> MeasureExport(Directory& source,
                                         Directory* destination) {
  const absl::StatusOr<std::vector<int64_t>> bases = ListSegments(source);
  if (!bases.ok()) return bases.status();
  const bool is_done =
      destination != nullptr && ReadExported(*destination).has_value();
  ExportSize size;
  for (const int64_t base_offset : *bases) {
    const absl::StatusOr<int64_t> bytes = SizeOf(source, base_offset);
    if (!bytes.ok()) return bytes.status();
    size.all_bytes += *bytes;
    const bool is_there =
        is_done || (destination != nullptr &&
                    HasSegment(source, *destination, base_offset));
    if (!is_there) size.missing_bytes += *bytes;
  }
  return size;
}

}  // namespace varve
