// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PRODUCER_ENDED_TRANSACTIONS_H_
#define VARVE_LOG_PRODUCER_ENDED_TRANSACTIONS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "varve/log/producer/producer_states.h"

namespace varve {

// The transactions whose markers are visible, and not durable yet. To a reader
// of committed records at ReadLevel::kDurable they are open still: a power loss
// may take the marker, and another one may decide otherwise. So it may read up
// to the least of
//
//   the durable end; `first_offset()`;
//   `ProducerStates::first_unstable_offset()`
//
// Kafka keeps the same above its high watermark (unreplicatedTxns).
//
// Fixed in size: when more than kMax markers wait for a sync, the newest two
// are taken as one transaction, from the first offset of the earlier to the
// marker of the later one. Readers wait somewhat longer then, and never read
// too far. Nothing here allocates.
//
// Thread safety: externally synchronized, by the partition's lock.
class EndedTransactions {
 public:
  static constexpr int kMax = 64;

  // One has ended: what ProducerStates::Note returned.
  // Precondition: in the order of their markers.
  void Note(const EndedTransaction& transaction) {
    int64_t first_offset = transaction.first_offset;
    // One that began later and ended earlier never decides.
    while (count_ > 0 && at(count_ - 1).first_offset >= first_offset) --count_;
    if (count_ == kMax) first_offset = at(--count_).first_offset;
    at(count_++) = {.first_offset = first_offset,
                    .last_offset = transaction.last_offset};
  }

  // Everything below this offset is durable.
  void Advance(int64_t durable_end) {
    while (count_ > 0 && at(0).last_offset < durable_end) {
      front_ = (front_ + 1) % kMax;
      --count_;
    }
  }

  // The first offset of the earliest of them; nothing when there is none.
  std::optional<int64_t> first_offset() const {
    if (count_ == 0) return std::nullopt;
    return entries_[static_cast<size_t>(front_)].first_offset;
  }

 private:
  struct Entry {
    int64_t first_offset = 0;
    int64_t last_offset = 0;  // of the marker
  };

  Entry& at(int i) {
    return entries_[static_cast<size_t>((front_ + i) % kMax)];
  }

  // A ring. Invariant: first and last offsets grow from entry to entry, so the
  // front has the least first offset of those that are not durable.
  std::array<Entry, kMax> entries_ = {};
  int front_ = 0;
  int count_ = 0;
};

}  // namespace varve

#endif  // VARVE_LOG_PRODUCER_ENDED_TRANSACTIONS_H_
