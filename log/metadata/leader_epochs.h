// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_METADATA_LEADER_EPOCHS_H_
#define VARVE_LOG_METADATA_LEADER_EPOCHS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace varve {

// The batches from `start_offset` on, up to the next entry's, have `epoch`.
struct LeaderEpoch {
  int32_t epoch = 0;
  int64_t start_offset = 0;

  friend bool operator==(const LeaderEpoch&, const LeaderEpoch&) = default;
};

// Which leader epoch every offset of a partition was written in: the contents
// of Kafka's leader-epoch-checkpoint, under Kafka's rules. In varve an epoch is
// an incarnation: the appends between one unclean open and the next.
//
// Invariant: epochs and start offsets are 0 or more, and both strictly grow.
//
// Thread safety: externally synchronized.
class LeaderEpochs {
 public:
  // No epochs.
  LeaderEpochs() = default;

  // Notes that batches from `start_offset` on have `epoch`. Trailing entries
  // with this epoch or a higher one, or with this start or a later one, are
  // dropped; but if `epoch` is the highest already, with a start at or before
  // this one, nothing changes. Returns whether an entry changed, so that the
  // checkpoint has to be written.
  //
  // A negative epoch (Kafka's "none") or offset changes nothing.
  bool Assign(int32_t epoch, int64_t start_offset);

  // The epoch of the batch that holds `offset`; nothing below the first entry.
  // The log end is not known here: offsets past it have the highest epoch.
  std::optional<int32_t> EpochAt(int64_t offset) const;

  // Where the batches of `epoch` end, exclusive: the start of the next higher
  // epoch, or `log_end` for the highest one. As in Kafka, an epoch without
  // entry that lies below the highest ends where the next higher one starts.
  // Nothing for a negative epoch and for one above the highest.
  std::optional<int64_t> EndOffset(int32_t epoch, int64_t log_end) const;

  // The highest epoch; nothing when there is none.
  std::optional<int32_t> highest() const;

  // The entries, in ascending order.
  const std::vector<LeaderEpoch>& entries() const { return entries_; }

  // Drops the entries that start at or after `log_end`: an epoch without a
  // batch does not survive an open. Returns whether an entry changed.
  bool TruncateFromEnd(int64_t log_end);

  // Drops the epochs that lie wholly before `log_start`; the one that holds it
  // then starts there. Returns whether an entry changed.
  bool TruncateFromStart(int64_t log_start);

  // The contents of leader-epoch-checkpoint, and back.
  //
  // Errors: DataLoss with the number of the line and what is wrong with it.
  std::string ToText() const;
  static absl::StatusOr<LeaderEpochs> FromText(std::string_view text);

  friend bool operator==(const LeaderEpochs&, const LeaderEpochs&) = default;

 private:
  std::vector<LeaderEpoch> entries_;
};

}  // namespace varve

#endif  // VARVE_LOG_METADATA_LEADER_EPOCHS_H_
