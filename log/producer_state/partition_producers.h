// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PRODUCER_STATE_PARTITION_PRODUCERS_H_
#define VARVE_LOG_PRODUCER_STATE_PARTITION_PRODUCERS_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "varve/log/producer/ended_transactions.h"
#include "varve/log/producer/producer_batch.h"
#include "varve/log/producer/producer_snapshot.h"
#include "varve/log/producer/producer_states.h"
#include "varve/log/producer_state/aborted_transactions.h"
#include "varve/log/producer_state/producer_load.h"
#include "varve/log/system/file_system.h"

namespace varve {

// Files of a partition's producers that have to be written: a copy of what they
// are to hold, for a sync, which writes it without the partition's lock.
struct DueProducerFiles {
  std::optional<ProducerSnapshot> snapshot = {};
  std::vector<int64_t> stale_snapshots = {};  // to be removed
  // The transaction index of the segment that begins here; none: as it is.
  std::optional<int64_t> index_base_offset = {};
  std::string index_entries = {};

  // Writes and removes them; durable after a sync of the directory. It can be
  // repeated. Errors: file errors; ResourceExhausted, and it can be tried
  // again.
  absl::Status Write(Directory& directory) const;
};

// The first offsets of transactions that a reader of committed records must not
// reach; kNone when there is no such transaction.
struct UndecidedOffsets {
  static constexpr int64_t kNone = std::numeric_limits<int64_t>::max();

  int64_t visible = kNone;  // of those that are open
  // Of those that a power loss may open again, as well: their markers are not
  // durable.
  int64_t durable = kNone;
};

// The producers of an open partition: what they have done, and the files in
// which that is to be kept. A partition without producers has neither.
//
// A snapshot is due at the base offset of each segment that begins, and where a
// clean close ends the log: when a producer is known, or there is an earlier
// snapshot. So without any snapshot no producer has appended before the active
// segment. The transaction index of a segment is due when that is sealed.
//
// Borrows the directory, which must outlive it.
//
// Thread safety: externally synchronized, by the partition's lock; `aborted` is
// thread-safe.
class PartitionProducers {
 public:
  // It takes what `loaded` holds; null: no producer is known.
  PartitionProducers(Directory* directory,
                     const std::shared_ptr<LoadedProducers>& loaded);

  // Before a segment is appended to: reads what is known of it. Errors: file
  // errors.
  absl::Status OpenSegment(int64_t base_offset);

  // ProducerStates::Judge and what it names. When it says kAppend, `Note` of
  // that batch cannot fail. `segment_base`: of the active segment; a roll that
  // comes between takes another `Prepare`.
  ProducerVerdict Judge(const ProducerBatch& batch, AppendOrigin origin) {
    return states_.Judge(batch, origin);
  }
  KeptBatch DuplicateOf(const ProducerBatch& batch) const {
    return states_.DuplicateOf(batch);
  }
  absl::Status RefusalOf(const ProducerBatch& batch,
                         AppendOrigin origin) const {
    return states_.RefusalOf(batch, origin);
  }

  // Allocates what the `Note` of the batch needs, which goes into this segment.
  void Prepare(const ProducerBatch& batch, int64_t segment_base) {
    if (batch.kind == ProducerBatch::Kind::kAbort)
      aborted_->Reserve(segment_base);
  }
  // The batch is in the log. Precondition: it was judged and prepared.
  void Note(const ProducerBatch& batch, const NotedPlace& place,
            int64_t segment_base);

  // The log ends at `end_offset`: a segment begins there, or it is closed. The
  // segment that begins at `segment_base`, if one was appended to, is sealed.
  // Returns the files that are due then; null when there are none. When it
  // throws, nothing has changed.
  enum class LogEnd { kRoll, kClose };
  std::shared_ptr<const DueProducerFiles> FilesDue(
      std::optional<int64_t> segment_base, int64_t end_offset) const;
  // A sync will write them.
  void NoteDue(const DueProducerFiles& files, LogEnd end);
  // They are written.
  void NoteWritten(const DueProducerFiles& files);

  // Whether a clean close that ends the log here has to write a snapshot.
  bool needs_snapshot(int64_t end_offset) const {
    return (!states_.empty() || has_snapshot_) && snapshot_at_ != end_offset;
  }

  UndecidedOffsets undecided() const;
  // Whether there are transactions whose markers are not known to be durable.
  bool has_ended() const { return ended_.first_offset().has_value(); }
  // Everything below this offset is durable.
  void Advance(int64_t durable_end) { ended_.Advance(durable_end); }

  int64_t Expire(const ProducerStates::Expiration& expiration) {
    return states_.Expire(expiration);
  }

  const ProducerStates& states() const { return states_; }
  const std::shared_ptr<AbortedTransactions>& aborted() const {
    return aborted_;
  }

 private:
  PartitionProducers(Directory* directory, LoadedProducers loaded);

  ProducerStates states_;
  EndedTransactions ended_;
  const std::shared_ptr<AbortedTransactions> aborted_;
  // Of the newest snapshot that is written, or due; none when it is none that
  // stands for all of the log before it.
  std::optional<int64_t> snapshot_at_;
  bool has_snapshot_;
  // That of a close, which means nothing once there is a later one, unless a
  // segment begins there.
  std::optional<int64_t> closing_snapshot_;
  std::vector<int64_t> stale_snapshots_;
};

}  // namespace varve

#endif  // VARVE_LOG_PRODUCER_STATE_PARTITION_PRODUCERS_H_
