// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_LOG_PRODUCER_PRODUCER_HISTORY_H_
#define VARVE_TESTS_LOG_PRODUCER_PRODUCER_HISTORY_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <vector>

#include "absl/status/status.h"
#include "varve/log/producer/producer_batch.h"
#include "varve/log/producer/producer_snapshot.h"
#include "varve/log/producer/producer_states.h"

namespace varve {

inline void PrintTo(const ProducerEntry& entry, std::ostream* out) {
  *out << "{producer " << entry.producer_id << ", epoch "
       << entry.producer_epoch << ", sequence " << entry.last_sequence
       << ", offset " << entry.last_offset << " - " << entry.offset_delta
       << ", time " << entry.timestamp_ms << ", coordinator "
       << entry.coordinator_epoch << ", open since "
       << entry.transaction_first_offset << "}";
}

// The rules of ProducerStates told once more, by somebody who remembers every
// batch of the log and counts them all each time he is asked.
class ProducerHistory {
 public:
  struct Item {
    ProducerBatch batch;
    NotedPlace place;

    int64_t last_offset() const {
      return place.base_offset + batch.last_offset_delta;
    }
    // Counted up and wrapped by hand.
    int64_t last_sequence() const {
      if (batch.base_sequence < 0) return -1;
      const int64_t sum =
          int64_t{batch.base_sequence} + batch.last_offset_delta;
      return sum > 0x7fffffff ? sum - 0x80000000 : sum;
    }
  };

  explicit ProducerHistory(size_t producers_max)
      : producers_max_(producers_max) {}

  // kOk for append; a duplicate is told apart by `*duplicate`.
  absl::StatusCode Judge(const ProducerBatch& batch, AppendOrigin origin,
                         std::optional<Item>* duplicate) const {
    const std::vector<Item> items = ItemsOf(batch.producer_id);
    const bool is_client = origin == AppendOrigin::kClient;
    if (is_client && batch.is_data() && batch.base_sequence < 0) {
      return absl::StatusCode::kInvalidArgument;
    }
    if (items.empty()) {
      return known_from_.size() < producers_max_ || Idle().has_value()
                 ? absl::StatusCode::kOk
                 : absl::StatusCode::kResourceExhausted;
    }
    const std::vector<Item> kept = KeptOf(items);
    const int16_t epoch = items.back().batch.producer_epoch;
    const Item arrived = {batch, {}};
    if (is_client && batch.is_data() && batch.producer_epoch == epoch) {
      for (const Item& item : kept) {
        if (item.batch.base_sequence == batch.base_sequence &&
            item.last_sequence() == arrived.last_sequence()) {
          *duplicate = item;
          return absl::StatusCode::kOk;
        }
      }
    }
    if (batch.producer_epoch < epoch) {
      return absl::StatusCode::kFailedPrecondition;
    }
    if (batch.is_marker()) {
      return batch.coordinator_epoch < CoordinatorEpochOf(items)
                 ? absl::StatusCode::kFailedPrecondition
                 : absl::StatusCode::kOk;
    }
    if (is_client) {
      const auto code = JudgeSequence(batch, epoch, kept);
      if (code != absl::StatusCode::kOk) return code;
    }
    return OpenSince(items).has_value() && !IsTransactional(batch)
               ? absl::StatusCode::kFailedPrecondition
               : absl::StatusCode::kOk;
  }

  std::optional<EndedTransaction> Note(const ProducerBatch& batch,
                                       const NotedPlace& place) {
    const std::optional<int64_t> open = OpenSince(ItemsOf(batch.producer_id));
    known_from_.try_emplace(batch.producer_id, all_.size());
    unused_since_.erase(batch.producer_id);
    all_.push_back({batch, place});
    while (known_from_.size() > producers_max_ && Idle().has_value()) {
      known_from_.erase(*Idle());
    }
    if (!batch.is_marker() || !open.has_value()) return std::nullopt;
    return EndedTransaction{batch.producer_id, *open, place.base_offset,
                            FirstUnstable().value_or(place.base_offset + 1),
                            batch.kind == ProducerBatch::Kind::kAbort};
  }

  void Expire(const ProducerStates::Expiration& expiration) {
    std::erase_if(known_from_, [&](const auto& known) {
      if (OpenSince(ItemsOf(known.first)).has_value()) return false;
      const auto [since, is_new] =
          unused_since_.try_emplace(known.first, expiration.now_ms);
      return expiration.now_ms - since->second >= expiration.expiration_ms;
    });
  }

  std::optional<int64_t> FirstUnstable() const {
    std::optional<int64_t> first;
    for (const auto& [id, from] : known_from_) {
      const std::optional<int64_t> open = OpenSince(ItemsOf(id));
      if (open.has_value()) first = std::min(first.value_or(*open), *open);
    }
    return first;
  }

  // Nothing when it is not known.
  std::optional<ProducerEntry> Entry(int64_t id) const {
    const std::vector<Item> items = ItemsOf(id);
    if (items.empty()) return std::nullopt;
    ProducerEntry entry = {
        .producer_id = id,
        .producer_epoch = items.back().batch.producer_epoch,
        .timestamp_ms = items.back().place.timestamp_ms,
        .coordinator_epoch = CoordinatorEpochOf(items),
        .transaction_first_offset = OpenSince(items).value_or(-1)};
    if (const std::vector<Item> kept = KeptOf(items); !kept.empty()) {
      entry.last_sequence = static_cast<int32_t>(kept.back().last_sequence());
      entry.last_offset = kept.back().last_offset();
      entry.offset_delta = kept.back().batch.last_offset_delta;
    }
    return entry;
  }

  // The batches that are remembered, the last one last.
  std::vector<Item> Kept(int64_t id) const { return KeptOf(ItemsOf(id)); }

  const std::vector<Item>& all() const { return all_; }
  size_t known_count() const { return known_from_.size(); }

 private:
  static bool IsTransactional(const ProducerBatch& batch) {
    return batch.kind == ProducerBatch::Kind::kTransactional;
  }

  static absl::StatusCode JudgeSequence(const ProducerBatch& batch,
                                        int16_t epoch,
                                        const std::vector<Item>& kept) {
    int64_t expected = 0;
    if (batch.producer_epoch == epoch && !kept.empty()) {
      expected = kept.back().last_sequence() + 1;
      if (expected == int64_t{1} << 31) expected = 0;
    }
    if (batch.base_sequence == expected) return absl::StatusCode::kOk;
    if (batch.producer_epoch != epoch || kept.empty()) {
      return absl::StatusCode::kOutOfRange;
    }
    // Steps forward to it, and back.
    const int64_t ahead =
        (batch.base_sequence - expected + (int64_t{1} << 31)) %
        (int64_t{1} << 31);
    return ahead < (int64_t{1} << 30) ? absl::StatusCode::kOutOfRange
                                      : absl::StatusCode::kAlreadyExists;
  }

  std::vector<Item> ItemsOf(int64_t id) const {
    std::vector<Item> items;
    const auto known = known_from_.find(id);
    if (known == known_from_.end()) return items;
    for (size_t i = known->second; i < all_.size(); ++i) {
      if (all_[i].batch.producer_id == id) items.push_back(all_[i]);
    }
    return items;
  }

  // The last five data batches since the epoch changed.
  static std::vector<Item> KeptOf(const std::vector<Item>& items) {
    std::vector<Item> kept;
    for (size_t i = items.size(); i-- > 0 && kept.size() < 5;) {
      if (items[i].batch.producer_epoch != items.back().batch.producer_epoch) {
        break;
      }
      if (items[i].batch.is_data()) kept.push_back(items[i]);
    }
    std::reverse(kept.begin(), kept.end());
    return kept;
  }

  static std::optional<int64_t> OpenSince(const std::vector<Item>& items) {
    std::optional<int64_t> open;
    for (const Item& item : items) {
      if (item.batch.is_marker()) open.reset();
      if (IsTransactional(item.batch) && !open.has_value()) {
        open = item.place.base_offset;
      }
    }
    return open;
  }

  static int32_t CoordinatorEpochOf(const std::vector<Item>& items) {
    int32_t epoch = -1;
    for (const Item& item : items) {
      if (item.batch.is_marker()) epoch = item.batch.coordinator_epoch;
    }
    return epoch;
  }

  // The producer that has not appended for longest and has nothing open.
  std::optional<int64_t> Idle() const {
    std::optional<int64_t> idle;
    int64_t used = 0;
    for (const auto& [id, from] : known_from_) {
      const std::vector<Item> items = ItemsOf(id);
      if (OpenSince(items).has_value()) continue;
      if (!idle.has_value() || items.back().place.base_offset < used) {
        idle = id;
        used = items.back().place.base_offset;
      }
    }
    return idle;
  }

  const size_t producers_max_;
  std::vector<Item> all_;
  // Where in `all_` what is known of a producer begins.
  std::map<int64_t, size_t> known_from_;
  // When it was first looked at after its last batch, in ms.
  std::map<int64_t, int64_t> unused_since_;
};

}  // namespace varve

#endif  // VARVE_TESTS_LOG_PRODUCER_PRODUCER_HISTORY_H_
