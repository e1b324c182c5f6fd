// SPDX-License-Identifier: Apache-2.0

#include "varve/log/verification/partition_verifier.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/leader_epoch_checkpoint.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/metadata/recovery_scan.h"
#include "varve/log/metadata/topic_id.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/finding_list.h"
#include "varve/log/verification/producer_verifier.h"
#include "varve/log/verification/segment_verifier.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {
namespace {

class PartitionVerifier {
 public:
  PartitionVerifier(Directory& directory, const PartitionVerifyInputs& inputs)
      : directory_(directory), inputs_(inputs) {}

  absl::StatusOr<PartitionVerification> Run() {
    result_.path = directory_.path();
    if (absl::Status status = CheckNames(); !status.ok()) return status;
    CheckMetadata();
    LoadEpochs();
    CheckSegments();
    if (inputs_.checkpoint.has_value()) CheckEnds(*inputs_.checkpoint);
    CheckLastEpoch();
    result_.findings = findings_.Take();
    return std::move(result_);
  }

 private:
  void AddNote(std::string_view name, std::string what) {
    findings_.Add({.severity = FindingSeverity::kNote,
                   .path = directory_.PathOf(name),
                   .what = std::move(what)});
  }

  absl::Status CheckNames() {
    absl::StatusOr<std::vector<DirectoryEntry>> entries = directory_.List();
    if (!entries.ok()) return entries.status();
    for (const DirectoryEntry& entry : *entries) {
      const std::optional<SegmentFile> file = ParseSegmentFileName(entry.name);
      if (!file.has_value()) continue;
      if (file->kind == SegmentFileKind::kLog)
        bases_.push_back(file->base_offset);
      if (file->kind == SegmentFileKind::kSnapshot)
        snapshots_.push_back(file->base_offset);
    }
    std::sort(bases_.begin(), bases_.end());
    std::sort(snapshots_.begin(), snapshots_.end());
    for (const DirectoryEntry& entry : *entries) CheckName(entry);
    return absl::OkStatus();
  }

  void CheckName(const DirectoryEntry& entry) {
    const std::string& name = entry.name;
    const std::optional<SegmentFile> file = ParseSegmentFileName(name);
    const std::optional<int64_t> sealed = ParseSidecarFileName(name);
    if (file.has_value()) {
      const bool has_log =
          std::binary_search(bases_.begin(), bases_.end(), file->base_offset);
      // A snapshot is named after the end of the log as well.
      if (!has_log && file->kind != SegmentFileKind::kSnapshot) {
        AddNote(name, "there is no segment of that base offset");
      }
    } else if (sealed.has_value()) {
      if (!std::binary_search(bases_.begin(), bases_.end(), *sealed)) {
        AddNote(name, "there is no segment of that base offset");
      }
    } else if (ParseCutFileName(name).has_value()) {
      AddNote(name, "set aside by a recovery: look at it, then remove it");
    } else if (ParseDisplacedFileName(name).has_value()) {
      AddNote(name,
              "of an earlier copy, put aside by a backup or a restore that "
              "found damage: look at it, then remove it");
    } else if (name == kReadyLogName || name == kReadyIndexName ||
               name == kReadyTimeIndexName) {
      AddNote(name,
              "of the next segment: the next open gives it its name, or "
              "removes it");
    } else if (name == kImportProgressName) {
      AddNote(name, "of an import that is done; means nothing");
    } else if (absl::EndsWith(name, kTemporarySuffix)) {
      AddNote(name, "left by a write that a crash interrupted; means nothing");
    } else if (name != kLeaderEpochCheckpointName &&
               name != kPartitionMetadataName) {
      AddNote(name, entry.kind == EntryKind::kFile
                        ? "not a file of this format; ignored"
                        : "not a regular file; ignored");
    }
  }

  void CheckMetadata() {
    const std::string path = directory_.PathOf(kPartitionMetadataName);
    absl::StatusOr<std::string> text = ReadWholeFile(
        directory_, kPartitionMetadataName, kPartitionMetadataSizeMax);
    if (absl::IsNotFound(text.status())) {
      AddNote(kPartitionMetadataName, "missing: Kafka would make it");
      return;
    }
    absl::StatusOr<TopicId> id = text.ok()
                                     ? ParsePartitionMetadata(*text)
                                     : absl::StatusOr<TopicId>(text.status());
    if (!id.ok()) {
      findings_.Add(VerifyFinding::FromStatus(path, id.status()));
    } else if (inputs_.topic_id.has_value() && *id != *inputs_.topic_id) {
      findings_.Add({.path = path,
                     .what = "the topic id is another topic's",
                     .expected = inputs_.topic_id->ToText(),
                     .found = id->ToText()});
    }
  }

  void LoadEpochs() {
    epochs_ = inputs_.epochs;
    if (epochs_.has_value()) return;
    absl::StatusOr<LeaderEpochs> epochs = ReadLeaderEpochCheckpoint(directory_);
    if (epochs.ok()) {
      epochs_ = *std::move(epochs);
      return;
    }
    // An empty log has no epochs, and does not need the file.
    if (absl::IsNotFound(epochs.status()) && bases_.empty()) return;
    findings_.Add(VerifyFinding::FromStatus(
        directory_.PathOf(kLeaderEpochCheckpointName), epochs.status()));
  }

  void CheckSegments() {
    const PartitionCheckpoint checkpoint = inputs_.checkpoint.value_or(
        PartitionCheckpoint{.origin = CheckpointOrigin::kStandIn});
    result_.log_start = checkpoint.log_start;
    result_.next_offset =
        bases_.empty() ? checkpoint.log_start : bases_.front();
    ProducerVerifier producers(directory_, ProducerOptions(checkpoint),
                               findings_);
    for (size_t i = 0; i < bases_.size() && !findings_.is_full(); ++i) {
      SegmentVerifyInputs segment = {
          .base_offset = bases_[i],
          .last_writer = inputs_.last_writer,
          .outline = {.checkpoint = checkpoint,
                      .continuity = inputs_.continuity},
          .epochs = epochs_.has_value() ? &*epochs_ : nullptr,
          .index_severity = inputs_.index_severity,
          .producers = &producers,
          .codecs = inputs_.codecs,
          .progress = inputs_.progress};
      if (i + 1 < bases_.size()) segment.next_base_offset = bases_[i + 1];
      result_.next_offset =
          VerifySegment(directory_, segment, result_.counts, findings_);
    }
    if (!findings_.is_full()) producers.Finish();
  }

  ProducerVerifier::Options ProducerOptions(
      const PartitionCheckpoint& checkpoint) const {
    ProducerVerifier::Options options = {.snapshots = snapshots_,
                                         .front_offset = result_.next_offset,
                                         .last_writer = inputs_.last_writer,
                                         .severity = inputs_.index_severity};
    if (bases_.empty() || inputs_.last_writer == LastWriter::kClosedCleanly)
      return options;
    options.changing_from =
        bases_[FirstSegmentToScan(bases_, checkpoint.recovery_point)];
    return options;
  }

  // Checks that the log holds what the checkpoint says.
  void CheckEnds(const PartitionCheckpoint& checkpoint) {
    const int64_t front = bases_.empty() ? result_.next_offset : bases_.front();
    if (front > checkpoint.log_start) {
      AddMissing(directory_.path(), checkpoint.log_start,
                 "batches are missing at the log start", checkpoint.log_start,
                 front);
    }
    const std::string last = bases_.empty()
                                 ? directory_.path()
                                 : directory_.PathOf(SegmentFileName(
                                       bases_.back(), SegmentFileKind::kLog));
    const bool exact = inputs_.last_writer == LastWriter::kClosedCleanly;
    if (result_.next_offset < checkpoint.recovery_point) {
      AddMissing(last, result_.next_offset,
                 "durable batches are missing at the end",
                 checkpoint.recovery_point, result_.next_offset);
    } else if (exact && result_.next_offset > checkpoint.recovery_point) {
      AddMissing(last, checkpoint.recovery_point,
                 "there are batches after the end of a cleanly closed log",
                 checkpoint.recovery_point, result_.next_offset);
    }
  }

  void AddMissing(std::string path, int64_t offset, std::string what,
                  int64_t expected, int64_t found) {
    findings_.Add({.path = std::move(path),
                   .offset = offset,
                   .what = std::move(what),
                   .expected = absl::StrCat("offset ", expected),
                   .found = absl::StrCat("offset ", found)});
  }

  // Checks that the last epoch begins at the log's end at the latest.
  void CheckLastEpoch() {
    if (!epochs_.has_value() || epochs_->entries().empty() ||
        inputs_.last_writer != LastWriter::kClosedCleanly ||
        findings_.damage_count() > 0) {
      return;
    }
    const LeaderEpoch& last = epochs_->entries().back();
    if (last.start_offset <= result_.next_offset) return;
    findings_.Add({.path = directory_.PathOf(kLeaderEpochCheckpointName),
                   .offset = last.start_offset,
                   .what = absl::StrCat("epoch ", last.epoch,
                                        " begins after the end of the log"),
                   .expected = absl::StrCat("at most ", result_.next_offset),
                   .found = absl::StrCat(last.start_offset)});
  }

  Directory& directory_;
  const PartitionVerifyInputs& inputs_;
  std::vector<int64_t> bases_;      // of the segments, ascending
  std::vector<int64_t> snapshots_;  // of producers, ascending
  std::optional<LeaderEpochs> epochs_;
  FindingList findings_;
  PartitionVerification result_;
};

}  // namespace

absl::StatusOr<PartitionVerification> VerifyPartition(
    Directory& directory, const PartitionVerifyInputs& inputs) {
  return PartitionVerifier(directory, inputs).Run();
}

}  // namespace varve
