// SPDX-License-Identifier: Apache-2.0

#include "varve/log/verification/producer_verifier.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/index/transaction_index_damage.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/producer/producer_batch.h"
#include "varve/log/producer/producer_snapshot.h"
#include "varve/log/producer/producer_states.h"
#include "varve/log/producer/snapshot_bytes.h"
#include "varve/log/system/atomic_file.h"
#include "varve/log/system/file_system.h"
#include "varve/log/verification/finding_list.h"
#include "varve/log/verification/partition_verification.h"
#include "varve/log/verification/snapshot_comparison.h"
#include "varve/log/verification/transaction_index_verifier.h"
#include "varve/log/verification/verify_finding.h"
#include "varve/log/verification/wrong_producer_file.h"

namespace varve {
namespace {

using Origin = KnownProducers::Origin;

// The first thing that is wrong in a snapshot's bytes.
std::optional<SnapshotDefect> DefectOf(const SnapshotBytes& bytes) {
  std::optional<SnapshotDefect> defect = bytes.FileDefect();
  for (int64_t i = 0; !defect.has_value() && i < bytes.entry_count(); ++i)
    defect = bytes.EntryDefect(i);
  return defect;
}

// Whether compaction has taken records out of a batch. What is left does not
// say all that the whole one did.
bool IsWhole(const RecordBatch& batch) {
  return int64_t{batch.record_count()} ==
         int64_t{batch.last_offset_delta()} + 1;
}

}  // namespace

ProducerVerifier::ProducerVerifier(Directory& directory, Options options,
                                   FindingList& findings)
    : directory_(directory),
      options_(std::move(options)),
      findings_(findings),
      next_offset_(options_.front_offset) {
  // Those before the log are of segments that were deleted.
  while (next_snapshot_ < options_.snapshots.size() &&
         options_.snapshots[next_snapshot_] < options_.front_offset) {
    ++next_snapshot_;
  }
  LoseTrack(options_.front_offset);
}

std::string ProducerVerifier::PathOf(int64_t snapshot_offset) const {
  return directory_.PathOf(
      SegmentFileName(snapshot_offset, SegmentFileKind::kSnapshot));
}

WrongFileFate ProducerVerifier::FateOf(int64_t offset) const {
  if (options_.last_writer == LastWriter::kDied &&
      offset >= options_.changing_from) {
    return WrongFileFate::kMadeAgain;
  }
  return options_.severity == FindingSeverity::kNote ? WrongFileFate::kBrokers
                                                     : WrongFileFate::kUsed;
}

void ProducerVerifier::BeginSegment(int64_t base_offset) {
  using Entries = TransactionIndexVerifier::Entries;
  is_end_damaged_ = false;
  transactions_.emplace(
      directory_,
      TransactionIndexVerifier::Options{
          .base_offset = base_offset,
          .entries = base_offset >= options_.changing_from ? Entries::kMayLag
                                                           : Entries::kWhole,
          .writer = options_.severity == FindingSeverity::kNote
                        ? IndexWriter::kKafka
                        : IndexWriter::kVarve,
          .fate = FateOf(base_offset)},
      findings_);
}

void ProducerVerifier::CheckBatch(const RecordBatch& batch) {
  PassSnapshots(next_offset_);
  if (batch.base_offset() != next_offset_) LoseTrack(batch.base_offset());
  const int64_t end = batch.last_offset() + 1;
  if (batch.producer_id() == kNoProducer && !batch.is_transactional()) {
    next_offset_ = end;
    return;
  }
  if (!IsWhole(batch)) return LoseTrack(end);
  const auto producer = ProducerBatch::Read(batch);
  // Else it is no marker that anyone could have meant.
  if (producer.ok()) Note(batch, *producer);
  next_offset_ = end;
  if (KnowsTooMany()) LoseTrack(end);
}

void ProducerVerifier::Note(const RecordBatch& batch,
                            const ProducerBatch& producer) {
  const std::optional<EndedTransaction> ended =
      known_.states.Note(producer, {.base_offset = batch.base_offset(),
                                    .timestamp_ms = batch.max_timestamp_ms()});
  if (producer.kind != ProducerBatch::Kind::kAbort) return;
  AbortMarker marker = {
      .producer_id = producer.producer_id,
      .offset = batch.base_offset(),
      .known_from = known_.origin == Origin::kWithStates ? 0 : known_.from,
      .is_stable_offset_known = known_.origin == Origin::kWithStates};
  if (ended.has_value()) marker.entry = ended->index_entry();
  if (transactions_.has_value()) transactions_->CheckMarker(marker);
}

void ProducerVerifier::LoseTrack(int64_t offset) {
  // Nothing is known of what lies between.
  while (next_snapshot_ < options_.snapshots.size() &&
         options_.snapshots[next_snapshot_] < offset) {
    ReadSnapshot(options_.snapshots[next_snapshot_++]);
  }
  known_.states = ProducerStates(kProducersMax);
  known_.from = offset;
  known_.origin = offset == 0 ? Origin::kWithStates : Origin::kWithoutStates;
  next_offset_ = offset;
  if (transactions_.has_value()) transactions_->SkipTo(offset);
  PassSnapshots(offset);
}

int64_t ProducerVerifier::EndSegment(LogEnd log_end) {
  is_end_damaged_ = log_end == LogEnd::kDamaged;
  if (!transactions_.has_value()) return 0;
  transactions_->Finish(log_end);
  const int64_t entries = transactions_->entry_count();
  transactions_.reset();
  return entries;
}

void ProducerVerifier::Finish() {
  PassSnapshots(next_offset_);
  for (; next_snapshot_ < options_.snapshots.size(); ++next_snapshot_) {
    const int64_t offset = options_.snapshots[next_snapshot_];
    if (ReadSnapshot(offset).has_value()) JudgeBeyondEnd(offset);
  }
}

void ProducerVerifier::PassSnapshots(int64_t up_to) {
  while (next_snapshot_ < options_.snapshots.size() &&
         options_.snapshots[next_snapshot_] <= up_to) {
    PassSnapshot(options_.snapshots[next_snapshot_++]);
  }
}

void ProducerVerifier::PassSnapshot(int64_t offset) {
  const std::optional<ProducerSnapshot> snapshot = ReadSnapshot(offset);
  if (!snapshot.has_value()) return;
  if (offset < next_offset_) {
    AddUntrue({.path = PathOf(offset),
               .offset = offset,
               .what = "its offset is within a batch"},
              FateOf(offset), findings_);
    return;
  }
  JudgeSnapshot(*snapshot);
}

// Nothing, and a finding, for one that cannot be read.
std::optional<ProducerSnapshot> ProducerVerifier::ReadSnapshot(int64_t offset) {
  const absl::StatusOr<std::string> bytes = ReadWholeFile(
      directory_, SegmentFileName(offset, SegmentFileKind::kSnapshot),
      ProducerSnapshot::kSizeMax);
  // A writer removes those that it does not need any more.
  if (absl::IsNotFound(bytes.status())) return std::nullopt;
  if (!bytes.ok()) {
    findings_.Add(VerifyFinding::FromStatus(PathOf(offset), bytes.status()));
    return std::nullopt;
  }
  const auto defect = DefectOf(SnapshotBytes(*bytes, offset));
  if (!defect.has_value()) return *ProducerSnapshot::Decode(*bytes, offset);
  VerifyFinding finding = {.path = PathOf(offset),
                           .position = defect->position,
                           .what = defect->what};
  if (defect->code == absl::StatusCode::kUnimplemented)
    finding.severity = FindingSeverity::kNote;
  AddUnreadable(std::move(finding), FateOf(offset), findings_);
  return std::nullopt;
}

// From one that is right on, its writer's view counts: who expired is not known
// any more.
void ProducerVerifier::JudgeSnapshot(const ProducerSnapshot& snapshot) {
  const int64_t offset = snapshot.offset;
  const auto difference = CompareSnapshot(snapshot, known_);
  if (!difference.has_value()) {
    known_ = {.origin = Origin::kWithStates,
              .from = offset,
              .states = ProducerStates(snapshot, kProducersMax)};
    if (!KnowsTooMany()) return;
    known_ = {.from = offset, .states = ProducerStates(kProducersMax)};
    return;
  }
  VerifyFinding finding = {
      .path = PathOf(offset),
      .offset = offset,
      .what = absl::StrCat("the batches before it say otherwise of producer ",
                           difference->producer_id),
      .expected = difference->expected,
      .found = difference->found};
  if (difference->entry.has_value())
    finding.position = SnapshotBytes::PositionOf(*difference->entry);
  if (difference->count > 1) {
    absl::StrAppend(&finding.what, ", and of ", difference->count - 1, " more");
  }
  AddUntrue(std::move(finding), FateOf(offset), findings_);
}

// After a crash it may stand for batches that are gone; an open writer may have
// appended since the end was read.
void ProducerVerifier::JudgeBeyondEnd(int64_t offset) {
  if (options_.last_writer == LastWriter::kStillOpen || is_end_damaged_) return;
  VerifyFinding finding = {
      .path = PathOf(offset),
      .offset = offset,
      .what =
          "the log ends before its offset; no record is touched: the next "
          "open removes it",
      .expected = absl::StrCat("at most ", next_offset_),
      .found = absl::StrCat(offset)};
  finding.severity = options_.last_writer == LastWriter::kDied
                         ? FindingSeverity::kNote
                         : options_.severity;
  findings_.Add(std::move(finding));
}

}  // namespace varve
