// SPDX-License-Identifier: Apache-2.0

#include "varve/log/producer_state/producer_load.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/producer/producer_snapshot.h"
#include "varve/log/producer/producer_states.h"
#include "varve/log/producer/snapshot_plan.h"
#include "varve/log/producer_state/producer_files.h"
#include "varve/log/producer_state/producer_replay.h"
#include "varve/log/producer_state/segment_transactions.h"
#include "varve/log/system/file_system.h"

namespace varve {
namespace {

// Loads the producers of one partition.
class ProducerLoad {
 public:
  ProducerLoad(Directory& directory, const LoadedLog& log)
      : directory_(directory), log_(log) {}

  // `front`: nothing below it is read any more, neither as a record nor to know
  // the producers.
  absl::Status List(int64_t front) {
    absl::StatusOr<ProducerFiles> files = ListProducerFiles(directory_);
    if (!files.ok()) return files.status();
    plan_ = PlanSnapshots({.offsets = files->snapshots,
                           .segment_bases = log_.log.segment_bases,
                           .log_start = front,
                           .log_end = log_.next_offset});
    loaded_.has_snapshot = !plan_.load.empty();
    loaded_.transaction_indexes = std::move(files->transaction_indexes);
    temporaries_ = std::move(files->temporaries);
    return absl::OkStatus();
  }

  // From the newest snapshot that can be read, of those up to `at_most`. When
  // there is none, because none was written, the batches from `from` on are
  // noted; when because all are damaged, all batches.
  absl::Status LoadSnapshot(int64_t at_most, int64_t from) {
    replay_from_ = from;
    for (const int64_t offset : plan_.load) {
      if (offset > at_most) continue;
      const auto snapshot = ReadProducerSnapshot(directory_, offset);
      if (snapshot.ok()) {
        loaded_.states = ProducerStates(*snapshot);
        replay_from_ = offset;
        if (offset == log_.next_offset) loaded_.snapshot_at_end = offset;
        return RememberRecent(directory_, log_.log, offset, loaded_.states);
      }
      if (!absl::IsDataLoss(snapshot.status()) &&
          !absl::IsUnimplemented(snapshot.status())) {
        return snapshot.status();
      }
      loaded_.notes.push_back(
          absl::StrCat("the producers are read from the batches: ",
                       snapshot.status().message()));
      if (absl::IsDataLoss(snapshot.status())) damaged_.push_back(offset);
      replay_from_ = 0;
    }
    return absl::OkStatus();
  }

  template <typename Ended>
  absl::Status Replay(const OffsetRange& range, Ended ended) {
    return ReplayProducers(directory_, log_.log, range, loaded_.states, ended);
  }

  absl::Status ReplayAll() {
    return Replay({.from = replay_from_, .to = log_.next_offset},
                  [](int64_t, const EndedTransaction&) {});
  }

  // The same, and at each base offset that it passes goes on with the snapshot
  // there, which may know more than the batches do: some may be damaged. Where
  // there is none, because the crash came before, or it cannot be read, writes
  // one; after the indexes of the segments before, of those that are scanned:
  // who finds a snapshot finds them too.
  absl::Status Recover(int64_t scanned_from) {
    int64_t from = replay_from_;
    for (const int64_t base : log_.log.segment_bases) {
      if (base <= from) continue;
      absl::Status status =
          ReplayScanned({.from = from, .to = base}, scanned_from);
      if (status.ok()) status = WriteIndexesBelow(base, scanned_from);
      if (status.ok()) status = PassBase(base);
      if (!status.ok()) return status;
      from = base;
    }
    absl::Status status =
        ReplayScanned({.from = from, .to = log_.next_offset}, scanned_from);
    if (status.ok())
      status =
          WriteIndexesBelow(std::numeric_limits<int64_t>::max(), scanned_from);
    // So that a clean close which changes nothing leaves one.
    if (status.ok()) status = WriteSnapshot(log_.next_offset);
    loaded_.transaction_indexes = std::move(kept_indexes_);
    return status;
  }

  // Also that of a close, after `scanned_from`, which is not needed any more,
  // and what a crash left unfinished.
  absl::Status RemoveSnapshots(int64_t scanned_from) {
    std::vector<int64_t> all = plan_.remove;
    all.insert(all.end(), damaged_.begin(), damaged_.end());
    for (const int64_t offset : plan_.load) {
      if (offset > scanned_from && !HasSegment(offset)) all.push_back(offset);
    }
    for (const int64_t offset : written_) std::erase(all, offset);
    std::vector<std::string> names = temporaries_;
    for (const int64_t offset : all)
      names.push_back(SegmentFileName(offset, SegmentFileKind::kSnapshot));
    for (const std::string& name : names) {
      absl::Status status = directory_.RemoveFileIfThere(name);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  LoadedProducers Take() { return std::move(loaded_); }

  bool HasSegment(int64_t base) const {
    return std::binary_search(log_.log.segment_bases.begin(),
                              log_.log.segment_bases.end(), base);
  }

  const SnapshotPlan& plan() const { return plan_; }
  LoadedProducers& loaded() { return loaded_; }

 private:
  absl::Status ReplayScanned(const OffsetRange& range, int64_t scanned_from) {
    return Replay(range, [&](int64_t base, const EndedTransaction& ended) {
      if (!ended.aborted || base < scanned_from) return;
      auto& transactions = made_[base];
      if (transactions == nullptr)
        transactions = std::make_unique<SegmentTransactions>(base);
      transactions->Add(ended.index_entry());
    });
  }

  // Of the segments from those that were written last to before `end`: writes
  // the index of each that was scanned, and removes those that should not be
  // there.
  absl::Status WriteIndexesBelow(int64_t end, int64_t scanned_from) {
    for (const int64_t base : loaded_.transaction_indexes) {
      if (base < indexes_end_ || base >= end || made_.contains(base)) continue;
      if (HasSegment(base) && base < scanned_from) {
        kept_indexes_.push_back(base);
        continue;
      }
      absl::Status status = WriteTransactionIndex(directory_, base, {});
      if (!status.ok()) return status;
    }
    for (auto at = made_.lower_bound(indexes_end_);
         at != made_.end() && at->first < end; ++at) {
      absl::Status status =
          WriteTransactionIndex(directory_, at->first, at->second->entries());
      if (!status.ok()) return status;
      kept_indexes_.push_back(at->first);
    }
    indexes_end_ = end;
    return absl::OkStatus();
  }

  absl::Status PassBase(int64_t base) {
    if (std::find(plan_.load.begin(), plan_.load.end(), base) ==
        plan_.load.end()) {
      return WriteSnapshot(base);
    }
    const auto snapshot = ReadProducerSnapshot(directory_, base);
    if (absl::IsDataLoss(snapshot.status())) return WriteSnapshot(base);
    // One of a later version stays.
    if (absl::IsUnimplemented(snapshot.status())) return absl::OkStatus();
    if (!snapshot.ok()) return snapshot.status();
    loaded_.states = ProducerStates(*snapshot);
    return RememberRecent(directory_, log_.log, base, loaded_.states);
  }

  absl::Status WriteSnapshot(int64_t offset) {
    if (loaded_.states.empty() && !loaded_.has_snapshot)
      return absl::OkStatus();
    absl::Status status =
        WriteProducerSnapshot(directory_, loaded_.states.Snapshot(offset));
    if (!status.ok()) return status;
    loaded_.has_snapshot = true;
    written_.push_back(offset);
    if (offset == log_.next_offset) loaded_.snapshot_at_end = offset;
    return status;
  }

  Directory& directory_;
  const LoadedLog& log_;
  SnapshotPlan plan_;
  LoadedProducers loaded_;
  int64_t replay_from_ = 0;
  std::map<int64_t, std::unique_ptr<SegmentTransactions>> made_;
  std::vector<int64_t> kept_indexes_;
  int64_t indexes_end_ = 0;  // below it they are as they should be
  std::vector<std::string> temporaries_;
  std::vector<int64_t> damaged_;
  std::vector<int64_t> written_;
};

}  // namespace

absl::StatusOr<LoadedProducers> LoadProducers(Directory& directory,
                                              const LoadedLog& log) {
  ProducerLoad load(directory, log);
  absl::Status status = load.List(log.log_start);
  if (!status.ok()) return status;
  const std::vector<int64_t>& stale = load.plan().remove;
  if (!stale.empty() && stale.back() > log.next_offset) {
    return absl::DataLossError(
        absl::StrCat(directory.PathOf(SegmentFileName(
                         stale.back(), SegmentFileKind::kSnapshot)),
                     ": the log ends before it, at offset ", log.next_offset));
  }
  status = load.LoadSnapshot(log.next_offset, log.next_offset);
  if (status.ok()) status = load.ReplayAll();
  if (!status.ok()) return status;
  load.loaded().stale_snapshots = stale;
  return load.Take();
}

absl::StatusOr<LoadedProducers> RecoverProducers(Directory& directory,
                                                 const LoadedLog& log,
                                                 int64_t scanned_from) {
  ProducerLoad load(directory, log);
  // A trim may have been interrupted: what is below the log start is still
  // read.
  absl::Status status = load.List(std::min(log.log_start, scanned_from));
  if (status.ok()) status = load.LoadSnapshot(scanned_from, scanned_from);
  if (status.ok()) status = load.Recover(scanned_from);
  if (status.ok()) status = load.RemoveSnapshots(scanned_from);
  if (!status.ok()) return status;
  return load.Take();
}

}  // namespace varve
