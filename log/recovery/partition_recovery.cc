// SPDX-License-Identifier: Apache-2.0

#include "varve/log/recovery/partition_recovery.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/metadata/leader_epoch_checkpoint.h"
#include "varve/log/metadata/leader_epochs.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/metadata/partition_checkpoint.h"
#include "varve/log/metadata/recovery_scan.h"
#include "varve/log/producer_state/producer_load.h"
#include "varve/log/recovery/leader_epoch_collection.h"
#include "varve/log/recovery/partition_recovery_report.h"
#include "varve/log/recovery/ready_segment_recovery.h"
#include "varve/log/recovery/segment_listing.h"
#include "varve/log/recovery/segment_recovery.h"
#include "varve/log/recovery/set_aside.h"
#include "varve/log/recovery/tail_recovery.h"
#include "varve/log/segment/batch_scanner.h"
#include "varve/log/segment/segment.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

absl::StatusOr<bool> BeginsWithBatch(Directory& directory,
                                     int64_t base_offset) {
  absl::StatusOr<std::shared_ptr<Segment>> segment =
      Segment::OpenReadOnly(directory, base_offset);
  if (!segment.ok()) return segment.status();
  BatchScanner scanner((*segment)->visible_bytes(),
                       {.position = 0, .base_offset = base_offset},
                       {.continuity = Continuity::kGapsAllowed});
  return scanner.Peek() != nullptr;
}

// What was compacted was durable before: nothing above the end of the log can
// have been.
void TakeFirstDirty(const PartitionCheckpoint& checkpoint, RecoveredLog& log) {
  if (checkpoint.first_dirty.value_or(0) <= log.next_offset)
    log.first_dirty = checkpoint.first_dirty;
}

LoadedLog LoadedLogOf(const RecoveredLog& log) {
  return {.log = {.segment_bases = log.segment_bases,
                  .last_segment_size = log.last_segment_size},
          .log_start = log.log_start,
          .next_offset = log.next_offset};
}

void TakeProducers(LoadedProducers producers, RecoveredLog& log) {
  for (std::string& note : producers.notes)
    log.report.notes.push_back(std::move(note));
  log.producers = std::make_shared<LoadedProducers>(std::move(producers));
}

absl::Status AddProducers(Directory& directory, RecoveredLog& log) {
  absl::StatusOr<LoadedProducers> producers =
      LoadProducers(directory, LoadedLogOf(log));
  if (!producers.ok()) return producers.status();
  TakeProducers(*std::move(producers), log);
  return absl::OkStatus();
}

// Recovers one partition, segment by segment.
class PartitionRecoverer {
 public:
  PartitionRecoverer(Directory& directory, const LogConfig& config,
                     const PartitionFacts& outline)
      : directory_(directory),
        config_(config),
        outline_(outline),
        checkpoint_(outline_.checkpoint) {
    CHECK_LE(checkpoint_.log_start, checkpoint_.recovery_point);
  }

  absl::StatusOr<RecoveredLog> Run() {
    absl::StatusOr<ReadyRecovery> ready =
        RecoverReadySegment(directory_, checkpoint_.recovery_point);
    if (!ready.ok()) return ready.status();
    if (ready->finding.has_value()) log_.report.AddFinding(*ready->finding);
    log_.read_only = ready->read_only;
    absl::StatusOr<std::vector<int64_t>> bases =
        ListSettledSegments(directory_);
    if (!bases.ok()) return bases.status();
    log_.segment_bases = *std::move(bases);
    log_.log_start = checkpoint_.log_start;
    log_.needs_new_epoch = true;
    log_.report.path = directory_.path();
    log_.report.log_start = checkpoint_.log_start;
    log_.report.recovery_point = checkpoint_.recovery_point;
    if (absl::Status status = DropCaches(); !status.ok()) return status;
    if (absl::Status status = LoadEpochs(); !status.ok()) return status;
    ReportMissingFront();
    if (absl::Status status = RecoverSegments(); !status.ok()) return status;
    if (absl::Status status = LoadProducers(); !status.ok()) return status;
    if (absl::Status status = directory_.Sync(); !status.ok()) return status;
    CHECK_GE(log_.next_offset, checkpoint_.recovery_point);
    CHECK_LE(log_.log_start, log_.next_offset);
    log_.report.next_offset = log_.next_offset;
    TakeFirstDirty(checkpoint_, log_);
    return std::move(log_);
  }

 private:
  absl::Status LoadEpochs() {
    absl::StatusOr<LeaderEpochs> epochs = ReadLeaderEpochCheckpoint(directory_);
    if (epochs.ok() && epochs->entries().empty()) {
      // An emptied file reads as no epochs, which would fit no batch.
      epochs = absl::NotFoundError("leader-epoch-checkpoint has no entry");
    }
    if (absl::IsDataLoss(epochs.status()) ||
        absl::IsNotFound(epochs.status())) {
      return CollectEpochs(epochs.status().message());
    }
    if (!epochs.ok()) return epochs.status();
    log_.epochs = *std::move(epochs);
    log_.highest_epoch = log_.epochs.highest().value_or(-1);
    return absl::OkStatus();
  }

  // Without a checkpoint that can be trusted the epochs are read from the
  // batches. The highest epoch ever met is not used again.
  absl::Status CollectEpochs(std::string_view reason) {
    if (!log_.segment_bases.empty()) {
      log_.report.notes.push_back(absl::StrCat(
          "the leader epochs were read from the batches: ", reason));
    }
    absl::StatusOr<LeaderEpochs> epochs =
        CollectLeaderEpochs(directory_, log_.segment_bases);
    if (!epochs.ok()) return epochs.status();
    log_.epochs = *std::move(epochs);
    log_.highest_epoch =
        std::max(log_.highest_epoch, log_.epochs.highest().value_or(-1));
    epochs_source_ = EpochsSource::kBatches;
    return absl::OkStatus();
  }

  void ReportMissing(int64_t from, int64_t to, std::string detail) {
    log_.report.AddFinding({.action = RecoveryAction::kKeepDamaged,
                            .path = directory_.path(),
                            .offset = from,
                            .next_offset = to,
                            .detail = std::move(detail)});
  }

  void ReportMissingFront() {
    const int64_t front =
        log_.segment_bases.empty()
            ? std::max(checkpoint_.recovery_point, checkpoint_.log_start)
            : log_.segment_bases.front();
    if (front > log_.log_start) {
      ReportMissing(log_.log_start, front,
                    "no segment file holds these offsets");
    }
  }

  size_t FirstToScan() const {
    return FirstSegmentToScan(log_.segment_bases, checkpoint_.recovery_point);
  }

  // Called before bytes are read that may not be durable: after a failed sync
  // the cache may differ from the disk.
  absl::Status DropCaches() {
    for (size_t i = FirstToScan(); i < log_.segment_bases.size(); ++i) {
      auto file = directory_.OpenFile(
          SegmentFileName(log_.segment_bases[i], SegmentFileKind::kLog),
          OpenMode::kReadWrite);
      if (!file.ok()) return file.status();
      if (absl::Status status = (*file)->DropCache(); !status.ok())
        return status;
    }
    return absl::OkStatus();
  }

  // Finds the last segment that begins with a batch.
  absl::Status FindLastWithBatch() {
    for (size_t i = log_.segment_bases.size(); i > 0; --i) {
      absl::StatusOr<bool> begins =
          BeginsWithBatch(directory_, log_.segment_bases[i - 1]);
      if (!begins.ok()) return begins.status();
      last_with_batch_ = i - 1;
      if (*begins) break;
    }
    return absl::OkStatus();
  }

  absl::Status RecoverSegments() {
    log_.next_offset =
        std::max(checkpoint_.log_start, checkpoint_.recovery_point);
    if (absl::Status status = FindLastWithBatch(); !status.ok()) return status;
    for (size_t i = FirstToScan(); i < log_.segment_bases.size(); ++i) {
      absl::StatusOr<SegmentRecoveryResult> result = RecoverOne(i);
      if (result.ok() && result->epochs_contradicted) {
        absl::Status status = CollectEpochs(absl::StrCat(
            "leader-epoch-checkpoint contradicts durable batches of segment ",
            log_.segment_bases[i]));
        if (!status.ok()) return status;
        result = RecoverOne(i);
      }
      if (!result.ok()) return result.status();
      log_.highest_epoch = std::max(log_.highest_epoch, result->highest_epoch);
      log_.next_offset = result->next_offset;
      log_.needs_new_segment = result->damaged_end;
      if (result->unproved_gap) NoteGap(log_.segment_bases[i]);
      if (!result->cut) continue;
      log_.read_only.Update(result->read_only);
      log_.last_segment_size = result->visible_size;
      log_.segment_bases.resize(i + 1);
      return absl::OkStatus();
    }
    // Offsets that were durable once are not given to other records.
    log_.next_offset = std::max(log_.next_offset, checkpoint_.recovery_point);
    return absl::OkStatus();
  }

  absl::Status LoadProducers() {
    const auto& bases = log_.segment_bases;
    absl::StatusOr<LoadedProducers> producers =
        RecoverProducers(directory_, LoadedLogOf(log_),
                         bases.empty() ? log_.log_start : bases[FirstToScan()]);
    if (!producers.ok()) return producers.status();
    TakeProducers(*std::move(producers), log_);
    return absl::OkStatus();
  }

  absl::StatusOr<SegmentRecoveryResult> RecoverOne(size_t i) {
    SegmentRecoveryInputs inputs = {.base_offset = log_.segment_bases[i],
                                    .later_segments = last_with_batch_ > i
                                                          ? BatchBehind::kFound
                                                          : BatchBehind::kNone,
                                    .outline = outline_,
                                    .epochs = &log_.epochs,
                                    .epochs_source = epochs_source_};
    if (i + 1 < log_.segment_bases.size()) {
      inputs.next_base_offset = log_.segment_bases[i + 1];
      inputs.set_aside_later = [this, i] { return SetAsideBehind(i); };
    }
    return RecoverSegment(directory_, config_, inputs, log_.report);
  }

  // Notes one gap only, because a compacted log may have as many as segments.
  void NoteGap(int64_t base_offset) {
    if (std::exchange(gap_noted_, true)) return;
    log_.report.notes.push_back(absl::StrCat(
        directory_.path(), ": offsets are missing behind segment ", base_offset,
        " and perhaps others: taken for what compaction left out, since there "
        "is no sound varve.checkpoint to say otherwise"));
  }

  // Removes the segments after segment `i` from the log, before that one is
  // cut: in the other order, an interrupted recovery could leave a log that
  // continues after the cut.
  absl::Status SetAsideBehind(size_t i) {
    CHECK_LT(i + 1, log_.segment_bases.size());
    for (size_t later = i + 1; later < log_.segment_bases.size(); ++later) {
      absl::StatusOr<std::string> name =
          SetAsideSegment(directory_, log_.segment_bases[later]);
      if (!name.ok()) return name.status();
      log_.report.notes.push_back(absl::StrCat(
          directory_.path(), ": segment ", log_.segment_bases[later],
          name->empty() ? " held only zeros behind the cut; it was removed"
                        : " stood behind the cut; it is kept in ",
          *name));
    }
    return directory_.Sync();
  }

  Directory& directory_;
  const LogConfig& config_;
  const PartitionFacts outline_;
  const PartitionCheckpoint& checkpoint_;
  RecoveredLog log_;
  EpochsSource epochs_source_ = EpochsSource::kCheckpoint;
  size_t last_with_batch_ = 0;
  bool gap_noted_ = false;
};

}  // namespace

absl::StatusOr<RecoveredLog> RecoverPartition(Directory& directory,
                                              const LogConfig& config,
                                              const PartitionFacts& outline) {
  return PartitionRecoverer(directory, config, outline).Run();
}

absl::StatusOr<RecoveredLog> OpenCleanPartition(Directory& directory,
                                                const PartitionFacts& outline) {
  const PartitionCheckpoint& checkpoint = outline.checkpoint;
  CHECK_LE(checkpoint.log_start, checkpoint.recovery_point);
  RecoveredLog log;
  log.log_start = checkpoint.log_start;
  log.next_offset = checkpoint.recovery_point;
  TakeFirstDirty(checkpoint, log);
  absl::StatusOr<std::vector<int64_t>> bases = ListSettledSegments(directory);
  if (!bases.ok()) return bases.status();
  log.segment_bases = *std::move(bases);
  absl::Status ready =
      directory.OpenFile(kReadyLogName, OpenMode::kRead).status();
  if (!absl::IsNotFound(ready)) {
    return absl::DataLossError(absl::StrCat(
        directory.path(), ": a segment was made ready and not removed"));
  }
  absl::StatusOr<LeaderEpochs> epochs = ReadLeaderEpochCheckpoint(directory);
  const bool never_written = log.segment_bases.empty() && log.next_offset == 0;
  if (epochs.ok()) {
    log.epochs = *std::move(epochs);
  } else if (!absl::IsNotFound(epochs.status()) || !never_written) {
    return absl::DataLossError(epochs.status().message());
  }
  log.highest_epoch = log.epochs.highest().value_or(-1);
  log.report = {.path = directory.path(),
                .clean = true,
                .log_start = checkpoint.log_start,
                .recovery_point = checkpoint.recovery_point,
                .next_offset = checkpoint.recovery_point};
  const int64_t front =
      log.segment_bases.empty() ? log.next_offset : log.segment_bases.front();
  if (front > log.log_start) {
    return absl::DataLossError(absl::StrCat(
        directory.path(), ": no segment file holds offset ", log.log_start));
  }
  if (log.segment_bases.empty()) {
    if (absl::Status status = AddProducers(directory, log); !status.ok())
      return status;
    return log;
  }
  auto segment = Segment::OpenReadOnly(directory, log.segment_bases.back());
  if (!segment.ok()) return segment.status();
  const BatchPlace start = (*segment)->ScanStart(log.next_offset);
  BatchScanner scanner(
      (*segment)->visible_bytes(), start,
      {.continuity = outline.continuity, .epochs = &log.epochs});
  while (scanner.Peek() != nullptr) scanner.Advance();
  log.report.bytes_scanned = scanner.position() - start.position;
  if (scanner.stop() != ScanStop::kEnd ||
      scanner.expected_offset() != log.next_offset) {
    return absl::DataLossError(absl::StrCat(
        (*segment)->path(), ": position ", scanner.position(), ", offset ",
        scanner.expected_offset(), ": ", ScanStopText(scanner.stop()),
        "; a clean shutdown left the log at offset ", log.next_offset));
  }
  if (absl::Status status = AddProducers(directory, log); !status.ok())
    return status;
  return log;
}

Continuity ContinuityOf(const LogConfig& config) {
  return config.cleanup_policy == CleanupPolicy::kDelete
             ? Continuity::kExact
             : Continuity::kGapsAllowed;
}

}  // namespace varve
