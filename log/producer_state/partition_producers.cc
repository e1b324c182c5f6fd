// SPDX-License-Identifier: Apache-2.0

#include "varve/log/producer_state/partition_producers.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/producer/producer_batch.h"
#include "varve/log/producer/producer_states.h"
#include "varve/log/producer_state/aborted_transactions.h"
#include "varve/log/producer_state/producer_files.h"
#include "varve/log/producer_state/producer_load.h"
#include "varve/log/producer_state/producer_replay.h"
#include "varve/log/system/file_system.h"

namespace varve {

absl::Status DueProducerFiles::Write(Directory& directory) const {
  absl::Status status;
  if (index_base_offset.has_value())
    status =
        WriteTransactionIndex(directory, *index_base_offset, index_entries);
  if (status.ok() && snapshot.has_value())
    status = WriteProducerSnapshot(directory, *snapshot);
  for (const int64_t offset : stale_snapshots) {
    if (!status.ok()) return status;
    status = directory.RemoveFileIfThere(
        SegmentFileName(offset, SegmentFileKind::kSnapshot));
  }
  return status;
}

PartitionProducers::PartitionProducers(
    Directory* directory, const std::shared_ptr<LoadedProducers>& loaded)
    : PartitionProducers(directory, loaded == nullptr ? LoadedProducers()
                                                      : std::move(*loaded)) {}

PartitionProducers::PartitionProducers(Directory* directory,
                                       LoadedProducers loaded)
    : states_(std::move(loaded.states)),
      aborted_(std::make_shared<AbortedTransactions>(
          loaded.transaction_indexes,
          [directory](int64_t base_offset) {
            return LoadTransactionIndex(*directory, base_offset);
          })),
      snapshot_at_(loaded.snapshot_at_end),
      has_snapshot_(loaded.has_snapshot),
      closing_snapshot_(loaded.snapshot_at_end),
      stale_snapshots_(std::move(loaded.stale_snapshots)) {}

absl::Status PartitionProducers::OpenSegment(int64_t base_offset) {
  return aborted_->Open(base_offset);
}

void PartitionProducers::Note(const ProducerBatch& batch,
                              const NotedPlace& place, int64_t segment_base) {
  const std::optional<EndedTransaction> ended = states_.Note(batch, place);
  if (!ended.has_value()) return;
  if (ended->aborted) aborted_->Add(segment_base, ended->index_entry());
  ended_.Note(*ended);
}

std::shared_ptr<const DueProducerFiles> PartitionProducers::FilesDue(
    std::optional<int64_t> segment_base, int64_t end_offset) const {
  const bool has_index = segment_base.has_value() && !aborted_->empty() &&
                         aborted_->IsChanged(*segment_base);
  if (!has_index && !needs_snapshot(end_offset)) return nullptr;
  auto files = std::make_shared<DueProducerFiles>();
  if (has_index) {
    files->index_base_offset = segment_base;
    files->index_entries = aborted_->Entries(*segment_base);
  }
  if (needs_snapshot(end_offset)) {
    files->snapshot = states_.Snapshot(end_offset);
    files->stale_snapshots = stale_snapshots_;
    if (closing_snapshot_.has_value() && closing_snapshot_ != segment_base)
      files->stale_snapshots.push_back(*closing_snapshot_);
  }
  return files;
}

void PartitionProducers::NoteDue(const DueProducerFiles& files, LogEnd end) {
  if (!files.snapshot.has_value()) return;
  snapshot_at_ = files.snapshot->offset;
  has_snapshot_ = true;
  closing_snapshot_ =
      end == LogEnd::kClose ? snapshot_at_ : std::optional<int64_t>();
}

void PartitionProducers::NoteWritten(const DueProducerFiles& files) {
  if (files.index_base_offset.has_value())
    aborted_->NoteWritten(*files.index_base_offset);
  for (const int64_t offset : files.stale_snapshots)
    std::erase(stale_snapshots_, offset);
}

UndecidedOffsets PartitionProducers::undecided() const {
  UndecidedOffsets undecided;
  undecided.visible =
      states_.first_unstable_offset().value_or(UndecidedOffsets::kNone);
  undecided.durable =
      std::min(undecided.visible,
               ended_.first_offset().value_or(UndecidedOffsets::kNone));
  return undecided;
}

}  // namespace varve
