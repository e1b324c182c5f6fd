// SPDX-License-Identifier: Apache-2.0

#include "varve/log/import/partition_import.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/log/backup/file_copy.h"
#include "varve/log/broker/broker_epochs.h"
#include "varve/log/import/import_progress.h"
#include "varve/log/import/segment_import.h"
#include "varve/log/metadata/continuity.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/leader_epoch_checkpoint.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/producer_state/producer_load.h"
#include "varve/log/recovery/partition_recovery.h"
#include "varve/log/recovery/partition_recovery_report.h"
#include "varve/log/recovery/recovery_action.h"
#include "varve/log/recovery/segment_listing.h"
#include "varve/log/recovery/segment_recovery.h"
#include "varve/log/recovery/tail_recovery.h"
#include "varve/log/segment/file_batch_scanner.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

absl::StatusOr<bool> BeginsWithBatch(Directory& source, int64_t base_offset) {
  absl::StatusOr<std::unique_ptr<File>> log = source.OpenFile(
      SegmentFileName(base_offset, SegmentFileKind::kLog), OpenMode::kRead);
  if (!log.ok()) return log.status();
  const absl::StatusOr<int64_t> size = (*log)->Size();
  if (!size.ok()) return size.status();
  FileBatchScanner scanner(**log, *size,
                           {.position = 0, .base_offset = base_offset},
                           {.continuity = Continuity::kGapsAllowed});
  const bool begins = scanner.Peek() != nullptr;
  if (!scanner.status().ok()) return scanner.status();
  return begins;
}

class PartitionImporter {
 public:
  PartitionImporter(const ImportDirectories& where,
                    const PartitionImportInputs& inputs)
      : where_(where), inputs_(inputs), outline_(Outline()) {}

  absl::StatusOr<PartitionImport> Run() {
    absl::Status status = Look();
    if (status.ok()) status = ImportSegments();
    if (absl::IsNotFound(status)) {
      return absl::UnavailableError(absl::StrCat(
          status.message(), ": the source has changed meanwhile: try again"));
    }
    if (status.ok()) status = CopySnapshots();
    if (status.ok()) status = ClearRest();
    if (status.ok()) status = MakeProducers();
    if (status.ok()) status = WriteEpochs();
    if (status.ok()) status = where_.destination.Sync();
    if (!status.ok()) return status;
    imported_.segments = static_cast<int64_t>(placed_.size());
    imported_.checkpoint = {.log_start = outline_.checkpoint.log_start,
                            .recovery_point = next_offset_};
    return std::move(imported_);
  }

 private:
  // A broker's logs may have been compacted, and others than us have written
  // what is above the recovery point.
  PartitionFacts Outline() const {
    PartitionFacts outline = {.checkpoint = inputs_.checkpoint,
                              .continuity = Continuity::kGapsAllowed};
    outline.checkpoint.origin = CheckpointOrigin::kStandIn;
    return outline;
  }

  absl::Status Look() {
    absl::Status status = RemoveCutFiles();
    if (!status.ok()) return status;
    absl::StatusOr<std::vector<int64_t>> bases = ListSegments(where_.source);
    if (!bases.ok()) return bases.status();
    bases_ = *std::move(bases);
    absl::StatusOr<LeaderEpochs> epochs = ReadBrokerEpochs(where_.source);
    if (!epochs.ok()) return epochs.status();
    epochs_ = *std::move(epochs);
    absl::StatusOr<ImportProgress> progress =
        ImportProgress::Read(where_.destination);
    if (!progress.ok()) return progress.status();
    progress_ = *std::move(progress);
    PartitionCheckpoint& checkpoint = outline_.checkpoint;
    if (!bases_.empty())
      checkpoint.log_start = std::max(checkpoint.log_start, bases_.front());
    checkpoint.recovery_point =
        std::max(checkpoint.recovery_point, checkpoint.log_start);
    next_offset_ = checkpoint.log_start;
    return FindLastWithBatch();
  }

  // What an interrupted import has set aside is set aside again.
  absl::Status RemoveCutFiles() {
    const absl::StatusOr<std::vector<DirectoryEntry>> entries =
        where_.destination.List();
    if (!entries.ok()) return entries.status();
    for (const DirectoryEntry& entry : *entries) {
      if (!ParseCutFileName(entry.name).has_value()) continue;
      absl::Status status = where_.destination.RemoveFileIfThere(entry.name);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status FindLastWithBatch() {
    for (size_t i = bases_.size(); i > 0; --i) {
      const absl::StatusOr<bool> begins =
          BeginsWithBatch(where_.source, bases_[i - 1]);
      if (!begins.ok()) return begins.status();
      last_with_batch_ = i - 1;
      if (*begins) break;
    }
    return absl::OkStatus();
  }

  absl::Status ImportSegments() {
    int64_t end = next_offset_;
    for (size_t i = 0; i < bases_.size() && !is_cut_; ++i) {
      const absl::StatusOr<SourceSegment> source =
          LookAtSource(where_.source, bases_[i]);
      if (!source.ok()) return source.status();
      const std::optional<int64_t> done =
          EndOfDone(where_.destination, bases_[i], *source, progress_);
      absl::StatusOr<int64_t> next =
          done.has_value() ? Keep(i, *source, *done) : Import(i, *source);
      if (!next.ok()) return next.status();
      end = *next;
      placed_.insert(bases_[i]);
    }
    // A log whose start was moved past its end is empty, and begins there.
    next_offset_ = std::max(next_offset_, end);
    if (batches_end_ < outline_.checkpoint.log_start) placed_.clear();
    return absl::OkStatus();
  }

  absl::StatusOr<int64_t> Keep(size_t i, const SourceSegment& source,
                               int64_t end) {
    const std::optional<ImportedSegment> done = progress_.Find(bases_[i]);
    imported_.kept_bytes += source.bytes;
    batches_end_ = std::max(batches_end_, end);
    if (inputs_.progress) inputs_.progress(source.bytes);
    Count(done->records, done->continuity);
    // Where the next one begins later, the gap was noted when it was copied.
    return i + 1 < bases_.size() ? bases_[i + 1] : end;
  }

  absl::StatusOr<int64_t> Import(size_t i, const SourceSegment& source) {
    const size_t findings_before = report_.findings.size();
    absl::StatusOr<SegmentImport> segment = ImportOnce(i);
    if (segment.ok() && segment->recovery.epochs_contradicted) {
      absl::StatusOr<LeaderEpochs> epochs = CollectBrokerEpochs(where_.source);
      if (!epochs.ok()) return epochs.status();
      epochs_ = *std::move(epochs);
      epochs_source_ = EpochsSource::kBatches;
      segment = ImportOnce(i);
    }
    if (!segment.ok()) return segment.status();
    highest_epoch_ = std::max(highest_epoch_, segment->recovery.highest_epoch);
    is_cut_ = segment->recovery.cut;
    imported_.copied_bytes += source.bytes;
    Count(segment->records, segment->continuity);
    ListDamage(findings_before);
    progress_.Put(bases_[i], {.source_bytes = source.bytes,
                              .source_modified_ns = source.modified_ns,
                              .records = segment->records,
                              .continuity = segment->continuity});
    batches_end_ = std::max(batches_end_, segment->end_offset);
    // What is damaged is looked at again, and reported again, each time; and so
    // is a segment that the checkpoint of the epochs contradicts.
    const bool is_settled = report_.findings.size() == findings_before &&
                            epochs_source_ == EpochsSource::kCheckpoint;
    absl::Status status = where_.destination.Sync();
    if (status.ok() && is_settled) status = progress_.Write(where_.destination);
    if (!status.ok()) return status;
    return segment->recovery.next_offset;
  }

  absl::StatusOr<SegmentImport> ImportOnce(size_t i) {
    SegmentRecoveryInputs inputs = {.base_offset = bases_[i],
                                    .later_segments = last_with_batch_ > i
                                                          ? BatchBehind::kFound
                                                          : BatchBehind::kNone,
                                    .outline = outline_,
                                    .epochs = &epochs_,
                                    .epochs_source = epochs_source_};
    if (i + 1 < bases_.size()) {
      inputs.next_base_offset = bases_[i + 1];
      // They are not copied.
      inputs.set_aside_later = [] { return absl::OkStatus(); };
    }
    return ImportSegment(where_, inputs_.config, inputs, inputs_.progress,
                         report_);
  }

  void Count(int64_t records, Continuity continuity) {
    imported_.records += records;
    if (continuity == Continuity::kGapsAllowed)
      imported_.continuity = continuity;
  }

  // A torn tail is none: the broker's next start would cut it, too.
  void ListDamage(size_t first) {
    for (size_t i = first; i < report_.findings.size(); ++i) {
      const RecoveryFinding& finding = report_.findings[i];
      if (finding.action != RecoveryAction::kCutTornTail)
        imported_.damage.push_back(finding.ToString());
    }
    if (report_.more_findings > 0) {
      imported_.damage.push_back(absl::StrCat(
          where_.destination.path(), ": and ", report_.more_findings, " more"));
    }
  }

  // The broker's states of producers, of which that at the front tells what
  // batches did that are deleted.
  absl::Status CopySnapshots() {
    const absl::StatusOr<std::vector<DirectoryEntry>> entries =
        where_.source.List();
    if (!entries.ok()) return entries.status();
    for (const DirectoryEntry& entry : *entries) {
      const std::optional<SegmentFile> file = ParseSegmentFileName(entry.name);
      if (!file.has_value() || file->kind != SegmentFileKind::kSnapshot ||
          file->base_offset > next_offset_) {
        continue;
      }
      absl::StatusOr<std::unique_ptr<File>> snapshot =
          where_.source.OpenFile(entry.name, OpenMode::kRead);
      if (!snapshot.ok()) return snapshot.status();
      absl::Status status =
          CopyBytes(**snapshot, where_.destination, entry.name, nullptr)
              .status();
      if (!status.ok()) return status;
      snapshots_.insert(entry.name);
    }
    return absl::OkStatus();
  }

  // Removes what an earlier, interrupted import has left and this one has not
  // placed, and what was cut as a torn tail.
  absl::Status ClearRest() {
    const absl::StatusOr<std::vector<DirectoryEntry>> entries =
        where_.destination.List();
    if (!entries.ok()) return entries.status();
    for (const DirectoryEntry& entry : *entries) {
      if (entry.kind != EntryKind::kFile || IsPlaced(entry.name)) continue;
      absl::Status status = where_.destination.RemoveFileIfThere(entry.name);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // From the first of these, and the batches; with the aborted transactions.
  absl::Status MakeProducers() {
    const std::vector<int64_t> bases(placed_.begin(), placed_.end());
    if (bases.empty()) return absl::OkStatus();
    return RecoverProducers(where_.destination,
                            {.log = {.segment_bases = bases},
                             .log_start = outline_.checkpoint.log_start,
                             .next_offset = next_offset_},
                            bases.front())
        .status();
  }

  bool IsPlaced(const std::string& name) const {
    if (const auto file = ParseSegmentFileName(name); file.has_value())
      return placed_.contains(file->base_offset) || snapshots_.contains(name);
    if (const auto sealed = ParseSidecarFileName(name); sealed.has_value())
      return placed_.contains(*sealed);
    if (ParseCutFileName(name).has_value()) return !imported_.damage.empty();
    return name == kPartitionMetadataName || name == kImportProgressName;
  }

  // Those of the batches, and then one for the first append.
  absl::Status WriteEpochs() {
    const int32_t highest =
        std::max(highest_epoch_, epochs_.highest().value_or(-1));
    epochs_.TruncateFromEnd(next_offset_);
    // When they are used up, the copy takes no appends.
    if (highest < std::numeric_limits<int32_t>::max())
      epochs_.Assign(highest + 1, next_offset_);
    return WriteLeaderEpochCheckpoint(where_.destination, epochs_);
  }

  const ImportDirectories where_;
  const PartitionImportInputs& inputs_;
  PartitionFacts outline_;
  std::vector<int64_t> bases_;  // of the source's segments, ascending
  size_t last_with_batch_ = 0;
  LeaderEpochs epochs_;
  EpochsSource epochs_source_ = EpochsSource::kCheckpoint;
  int32_t highest_epoch_ = -1;
  ImportProgress progress_;
  PartitionRecoveryReport report_;
  bool is_cut_ = false;       // the log ends with the last segment so far
  std::set<int64_t> placed_;  // segments of the destination
  std::set<std::string> snapshots_;  // beside those of segments
  int64_t batches_end_ = 0;          // after the last batch of those
  int64_t next_offset_ = 0;
  PartitionImport imported_;
};

}  // namespace

absl::StatusOr<PartitionImport> ImportPartition(
    const ImportDirectories& where, const PartitionImportInputs& inputs) {
  return PartitionImporter(where, inputs).Run();
}

absl::StatusOr<ImportSize> MeasureImport(Directory& source,
                                         Directory* destination) {
  const absl::StatusOr<std::vector<int64_t>> bases = ListSegments(source);
  if (!bases.ok()) return bases.status();
  absl::StatusOr<ImportProgress> progress = ImportProgress();
  if (destination != nullptr) progress = ImportProgress::Read(*destination);
  if (!progress.ok()) return progress.status();
  ImportSize size;
  for (const int64_t base_offset : *bases) {
    const absl::StatusOr<SourceSegment> segment =
        LookAtSource(source, base_offset);
    if (!segment.ok()) return segment.status();
    size.all_bytes += segment->bytes;
    const bool is_done =
        destination != nullptr &&
        EndOfDone(*destination, base_offset, *segment, *progress).has_value();
    if (!is_done) size.missing_bytes += segment->bytes;
  }
  return size;
}

absl::Status PrepareImport(Directory& destination, TopicId topic_id) {
  const absl::StatusOr<std::string> text = ReadWholeFile(
      destination, kPartitionMetadataName, kPartitionMetadataSizeMax);
  if (text.ok()) {
    const absl::StatusOr<TopicId> id = ParsePartitionMetadata(*text);
    if (id.ok() && *id == topic_id) return absl::OkStatus();
  } else if (!absl::IsNotFound(text.status())) {
    return text.status();
  }
  const absl::StatusOr<std::vector<int64_t>> bases = ListSegments(destination);
  if (!bases.ok()) return bases.status();
  if (!bases->empty()) {
    return absl::AlreadyExistsError(absl::StrCat(
        destination.path(),
        ": holds segments of another topic, which is not in the catalog: move "
        "the directory away"));
  }
  return ReplaceFile(destination, kPartitionMetadataName,
                     FormatPartitionMetadata(topic_id));
}

absl::Status ForgetProgress(Directory& destination) {
  return destination.RemoveFileIfThere(kImportProgressName);
}

}  // namespace varve
