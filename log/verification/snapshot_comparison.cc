// SPDX-License-Identifier: Apache-2.0

#include "varve/log/verification/snapshot_comparison.h"

#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "varve/log/producer/producer_snapshot.h"
#include "varve/log/producer/producer_state.h"
#include "varve/log/producer/producer_states.h"

namespace varve {
namespace {

std::string TextOf(const ProducerEntry& entry) {
  std::string text = absl::StrCat("epoch ", entry.producer_epoch);
  if (entry.last_offset >= 0) {
    absl::StrAppend(&text, ", sequence ", entry.last_sequence, " at offset ",
                    entry.last_offset, ", ", entry.offset_delta,
                    " after the first of its batch");
  } else {
    absl::StrAppend(&text, ", no batch");
  }
  absl::StrAppend(&text, ", time ", entry.timestamp_ms, " ms");
  if (entry.coordinator_epoch >= 0) {
    absl::StrAppend(&text, ", coordinator epoch ", entry.coordinator_epoch);
  }
  if (entry.transaction_first_offset >= 0) {
    absl::StrAppend(&text, ", a transaction open since offset ",
                    entry.transaction_first_offset);
  }
  return text;
}

class SnapshotComparison {
 public:
  SnapshotComparison(const ProducerSnapshot& snapshot,
                     const KnownProducers& known)
      : snapshot_(snapshot), known_(known) {}

  std::optional<SnapshotDifference> Run() {
    absl::flat_hash_set<int64_t> seen;
    for (int64_t i = 0; i < std::ssize(snapshot_.producers); ++i) {
      const ProducerEntry& entry = snapshot_.producers[static_cast<size_t>(i)];
      if (!seen.insert(entry.producer_id).second) {
        Add(i, entry.producer_id, "one entry of it", "another one");
      } else {
        Compare(i, entry);
      }
    }
    for (const ProducerEntry& open : OpenTransactions()) {
      if (seen.contains(open.producer_id)) continue;
      Add(std::nullopt, open.producer_id, TextOf(open), "nothing of it");
    }
    if (difference_.count == 0) return std::nullopt;
    return std::move(difference_);
  }

 private:
  bool is_complete() const {
    return known_.origin == KnownProducers::Origin::kWithStates;
  }
  // Of something that happened at this offset, if at any.
  bool MayBeUnknown(int64_t offset) const {
    return !is_complete() && offset < known_.from;
  }

  void Compare(int64_t i, const ProducerEntry& entry) {
    const ProducerState* const state = known_.states.Find(entry.producer_id);
    if (state == nullptr) {
      if (MayBeUnknown(entry.last_offset) &&
          MayBeUnknown(entry.transaction_first_offset)) {
        return;
      }
      Add(i, entry.producer_id, "nothing of it", TextOf(entry));
    } else if (!Agrees(entry, state->entry())) {
      Add(i, entry.producer_id, TextOf(state->entry()), TextOf(entry));
    }
  }

  bool Agrees(const ProducerEntry& found, const ProducerEntry& due) const {
    return found.producer_epoch == due.producer_epoch &&
           found.timestamp_ms == due.timestamp_ms &&
           AgreesOnBatch(found, due) && AgreesOnMarker(found, due) &&
           AgreesOnTransaction(found, due);
  }

  bool AgreesOnBatch(const ProducerEntry& found,
                     const ProducerEntry& due) const {
    if (found.last_offset == due.last_offset)
      return found.last_sequence == due.last_sequence &&
             found.offset_delta == due.offset_delta;
    // It expired, and a marker came then.
    if (found.last_offset < 0) return found.coordinator_epoch >= 0;
    return due.last_offset < 0 && MayBeUnknown(found.last_offset);
  }

  bool AgreesOnMarker(const ProducerEntry& found,
                      const ProducerEntry& due) const {
    return found.coordinator_epoch == due.coordinator_epoch ||
           found.coordinator_epoch < 0 ||
           (due.coordinator_epoch < 0 && !is_complete());
  }

  bool AgreesOnTransaction(const ProducerEntry& found,
                           const ProducerEntry& due) const {
    if (found.transaction_first_offset == due.transaction_first_offset)
      return true;
    return found.transaction_first_offset >= 0 &&
           due.transaction_first_offset >= 0 &&
           MayBeUnknown(found.transaction_first_offset);
  }

  // These never expire.
  std::vector<ProducerEntry> OpenTransactions() const {
    std::vector<ProducerEntry> open;
    if (!known_.states.first_unstable_offset().has_value()) return open;
    for (const ProducerEntry& entry :
         known_.states.Snapshot(snapshot_.offset).producers) {
      if (entry.transaction_first_offset >= 0) open.push_back(entry);
    }
    return open;
  }

  void Add(std::optional<int64_t> entry, int64_t producer_id,
           std::string expected, std::string found) {
    if (difference_.count++ > 0) return;
    difference_.entry = entry;
    difference_.producer_id = producer_id;
    difference_.expected = std::move(expected);
    difference_.found = std::move(found);
  }

  const ProducerSnapshot& snapshot_;
  const KnownProducers& known_;
  SnapshotDifference difference_;
};

}  // namespace

std::optional<SnapshotDifference> CompareSnapshot(
    const ProducerSnapshot& snapshot, const KnownProducers& known) {
  return SnapshotComparison(snapshot, known).Run();
}

}  // namespace varve
