// SPDX-License-Identifier: Apache-2.0

#include "varve/log/read_only/read_only_transactions.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "varve/index/transaction_index.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/recovery_scan.h"
#include "varve/log/producer/aborted_records.h"
#include "varve/log/producer/producer_batch.h"
#include "varve/log/producer/producer_snapshot.h"
#include "varve/log/producer/producer_states.h"
#include "varve/log/producer_state/producer_files.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

bool MarkerIsBelow(const AbortedTransaction& transaction, int64_t offset) {
  return transaction.last_offset < offset;
}

absl::Status GoneSinceListed(const absl::Status& status) {
  return absl::UnavailableError(
      absl::StrCat("gone since it was listed: ", status.message()));
}

// Where the producers are known, and who they are then.
struct Start {
  ProducerStates states;
  int64_t offset = 0;
};

bool CannotBeRead(const absl::Status& status) {
  return absl::IsDataLoss(status) || absl::IsUnimplemented(status);
}

// Where a recovery would begin; 0 without segments.
int64_t BaseOfRecovery(const ReadOnlyTransactions::Bounds& bounds) {
  const auto& bases = bounds.segment_bases;
  return bases.empty()
             ? 0
             : bases[FirstSegmentToScan(bases, bounds.recovery_point)];
}

// From the newest snapshot that can be read, of those from the log start to
// `at_most`. One below the log start does not help: a marker between may be
// gone. When there is none up to `at_most`, no producer has appended before the
// segment of the recovery point; when there are, and all are damaged, all
// batches count.
absl::StatusOr<Start> FindStart(Directory& directory,
                                const std::vector<int64_t>& snapshots,
                                const ReadOnlyTransactions::Bounds& bounds,
                                int64_t at_most) {
  Start start;
  start.offset =
      std::max(bounds.log_start, std::min(BaseOfRecovery(bounds), at_most));
  for (auto at = snapshots.rbegin(); at != snapshots.rend(); ++at) {
    if (*at > at_most) continue;
    start.offset = bounds.log_start;
    if (*at < bounds.log_start) break;
    const auto snapshot = ReadProducerSnapshot(directory, *at);
    if (snapshot.ok())
      return Start{.states = ProducerStates(*snapshot), .offset = *at};
    if (absl::IsNotFound(snapshot.status()))
      return GoneSinceListed(snapshot.status());
    if (!CannotBeRead(snapshot.status())) return snapshot.status();
  }
  return start;
}

}  // namespace

absl::Status ReadOnlyTransactions::Load(Directory& directory,
                                        const Bounds& bounds) {
  const absl::StatusOr<ProducerFiles> files = ListProducerFiles(directory);
  if (!files.ok()) return files.status();
  int64_t at_most = std::min(bounds.end, bounds.recovery_point);
  while (true) {
    absl::StatusOr<Start> start =
        FindStart(directory, files->snapshots, bounds, at_most);
    if (!start.ok()) return start.status();
    // Listed again: the writer writes a snapshot after the indexes of what it
    // stands for, and a listing may miss what is made while it is read.
    const absl::StatusOr<ProducerFiles> indexed = ListProducerFiles(directory);
    if (!indexed.ok()) return indexed.status();
    ReadOnlyTransactions loaded;
    loaded.states_ = std::move(start->states);
    loaded.noted_end_ = start->offset;
    loaded.passed_base_ = start->offset;
    const absl::StatusOr<std::optional<int64_t>> damaged_at =
        loaded.LoadIndexes(directory, indexed->transaction_indexes, bounds);
    if (!damaged_at.ok()) return damaged_at.status();
    if (!damaged_at->has_value()) {
      *this = std::move(loaded);
      return absl::OkStatus();
    }
    // The batches of that segment say it, too.
    CHECK_LT(**damaged_at, start->offset);
    at_most = **damaged_at;
  }
}

// Reads the indexes of the segments that begin before what is to be noted, if
// there is anything before it that is read. Returns the base offset of the
// first that is damaged, if one is.
absl::StatusOr<std::optional<int64_t>> ReadOnlyTransactions::LoadIndexes(
    Directory& directory, absl::Span<const int64_t> base_offsets,
    const Bounds& bounds) {
  if (noted_end_ <= bounds.log_start) return std::nullopt;
  for (const int64_t base : base_offsets) {
    if (base >= noted_end_) break;
    absl::StatusOr<std::string> entries = ReadTransactionIndex(directory, base);
    if (absl::IsNotFound(entries.status()))
      return GoneSinceListed(entries.status());
    if (absl::IsDataLoss(entries.status())) return base;
    if (!entries.ok()) return entries.status();
    const TransactionIndex index(
        base, absl::MakeSpan(*entries),
        std::ssize(*entries) / TransactionIndex::kEntrySize);
    for (int64_t i = 0; i < index.entry_count(); ++i) {
      const AbortedTransaction transaction = index.entry(i);
      if (transaction.last_offset < bounds.log_start) continue;
      absl::Status status = AddAborted(transaction);
      if (!status.ok()) return status;
    }
  }
  return std::nullopt;
}

// An index may have what is noted again, when the start is within its segment.
absl::Status ReadOnlyTransactions::AddAborted(
    const AbortedTransaction& transaction) {
  const auto at = std::lower_bound(aborted_.begin(), aborted_.end(),
                                   transaction.last_offset, MarkerIsBelow);
  if (at != aborted_.end() && at->last_offset == transaction.last_offset)
    return absl::OkStatus();
  if (aborted_.size() >= kAbortedMax) {
    return absl::ResourceExhaustedError(
        absl::StrCat("more than ", kAbortedMax,
                     " transactions were aborted in this partition: read it "
                     "with Isolation::kReadUncommitted, or trim it"));
  }
  aborted_.insert(at, transaction);
  return absl::OkStatus();
}

void ReadOnlyTransactions::NoteBefore(std::string_view batches) {
  leader_epoch_ = (*RecordBatches::Iterator(batches)).leader_epoch();
}

bool ReadOnlyTransactions::IsContinuedBy(std::string_view batches) const {
  return !leader_epoch_.has_value() ||
         (*RecordBatches::Iterator(batches)).leader_epoch() == *leader_epoch_;
}

absl::Status ReadOnlyTransactions::PassBase(Directory& directory,
                                            const Base& base) {
  if (base.offset <= passed_base_) return absl::OkStatus();
  passed_base_ = base.offset;
  if (base.offset > base.recovery_point) return absl::OkStatus();
  const auto snapshot = ReadProducerSnapshot(directory, base.offset);
  if (snapshot.ok()) {
    states_ = ProducerStates(*snapshot);
    return absl::OkStatus();
  }
  return absl::IsNotFound(snapshot.status()) || CannotBeRead(snapshot.status())
             ? absl::OkStatus()
             : snapshot.status();
}

absl::Status ReadOnlyTransactions::Note(std::string_view batches,
                                        int64_t next_offset) {
  for (auto at = RecordBatches::Iterator(batches);
       at != RecordBatches::Iterator(); ++at) {
    const RecordBatch batch = *at;
    leader_epoch_ = batch.leader_epoch();
    if (batch.producer_id() == kNoProducer && !batch.is_transactional())
      continue;
    const absl::StatusOr<ProducerBatch> read = ProducerBatch::Read(batch);
    if (!read.ok()) continue;  // no marker that anyone could have meant
    const std::optional<EndedTransaction> ended =
        states_.Note(*read, {.base_offset = batch.base_offset(),
                             .timestamp_ms = batch.max_timestamp_ms()});
    if (!ended.has_value()) continue;
    ended_.Note(*ended);
    if (!ended->aborted) continue;
    absl::Status status = AddAborted(ended->index_entry());
    if (!status.ok()) return status;
  }
  noted_end_ = next_offset;
  return absl::OkStatus();
}

void ReadOnlyTransactions::Advance(const Progress& progress) {
  ended_.Advance(progress.durable_end);
  const auto kept = std::lower_bound(aborted_.begin(), aborted_.end(),
                                     progress.log_start, MarkerIsBelow);
  if (kept != aborted_.begin()) aborted_.erase(aborted_.begin(), kept);
}

int64_t ReadOnlyTransactions::last_stable_offset(Markers markers) const {
  const int64_t stable = states_.last_stable_offset(noted_end_);
  return markers == Markers::kVisible
             ? stable
             : std::min(stable, ended_.first_offset().value_or(stable));
}

// By the rule of TransactionIndex::FindOverlapping.
std::vector<AbortedTransaction> ReadOnlyTransactions::FindOverlapping(
    const OffsetRange& range) const {
  std::vector<AbortedTransaction> found;
  for (auto at = std::lower_bound(aborted_.begin(), aborted_.end(), range.from,
                                  MarkerIsBelow);
       at != aborted_.end(); ++at) {
    if (at->first_offset < range.to) found.push_back(*at);
    if (at->last_stable_offset >= range.to) break;
  }
  return found;
}

bool ReadOnlyTransactions::HasNoted(const RecordBatches& view) const {
  for (const RecordBatch& batch : view) {
    if (batch.leader_epoch() > leader_epoch_.value_or(batch.leader_epoch()))
      return false;
  }
  return true;
}

void ReadOnlyTransactions::LeaveOutAborted(RecordBatches& view) const {
  if (view.empty()) return;
  varve::LeaveOutAborted(FindOverlapping({.from = (*view.begin()).base_offset(),
                                          .to = view.next_offset()}),
                         view);
}

}  // namespace varve
