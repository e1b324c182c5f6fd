// SPDX-License-Identifier: Apache-2.0

#include "varve/log/producer/producer_state.h"

#include <cstdint>

#include "varve/log/producer/producer_batch.h"
#include "varve/log/producer/producer_position.h"
#include "varve/log/producer/producer_snapshot.h"
#include "varve/log/producer/sequence_number.h"

namespace varve {

ProducerState::ProducerState(const ProducerEntry& entry)
    : producer_id_(entry.producer_id),
      epoch_(entry.producer_epoch),
      coordinator_epoch_(entry.coordinator_epoch),
      last_timestamp_ms_(entry.timestamp_ms),
      transaction_first_offset_(entry.transaction_first_offset) {
  if (entry.last_offset < 0) return;
  is_in_order_ = entry.offset_delta < kDeltaInOrderMax;
  // The timestamp may be that of a later marker; a snapshot has no other.
  Keep({.last_sequence = entry.last_sequence,
        .offset_delta = entry.offset_delta,
        .last_offset = entry.last_offset,
        .timestamp_ms = entry.timestamp_ms});
}

void ProducerState::SetEpoch(int16_t epoch) {
  if (epoch == epoch_) return;
  epoch_ = epoch;
  kept_ = {};
  is_in_order_ = true;
  expected_sequence_ = 0;
}

int ProducerState::kept_count() const {
  int count = 0;
  while (count < kKeptBatches && kept(count).last_offset >= 0) ++count;
  return count;
}

void ProducerState::NoteBatch(const ProducerBatch& batch,
                              const NotedPlace& place) {
  SetEpoch(batch.producer_epoch);
  const bool is_first = kept(0).last_offset < 0;
  is_in_order_ &= batch.last_offset_delta < kDeltaInOrderMax &&
                  (is_first || batch.base_sequence == expected_sequence_);
  Keep({.last_sequence =
            LastSequence(batch.base_sequence, batch.last_offset_delta),
        .offset_delta = batch.last_offset_delta,
        .last_offset = place.base_offset + batch.last_offset_delta,
        .timestamp_ms = place.timestamp_ms});
}

void ProducerState::NoteMarker(const ProducerBatch& marker,
                               const NotedPlace& place) {
  SetEpoch(marker.producer_epoch);
  coordinator_epoch_ = marker.coordinator_epoch;
  last_timestamp_ms_ = place.timestamp_ms;
  unused_since_ms_ = -1;
  transaction_first_offset_ = -1;
}

const KeptBatch* ProducerState::FindKept(int32_t last_sequence,
                                         int32_t offset_delta) const {
  for (int i = kKeptBatches; i-- > 0;) {
    const KeptBatch& batch = kept(i);
    if (batch.last_sequence == last_sequence &&
        batch.offset_delta == offset_delta) {
      return &batch;
    }
  }
  return nullptr;
}

ProducerPosition ProducerState::position() const {
  ProducerPosition position = {.producer_id = producer_id_,
                               .epoch = epoch_,
                               .last_sequence = kept(0).last_sequence,
                               .last_offset = kept(0).last_offset,
                               .next_sequence = expected_sequence_};
  if (has_open_transaction())
    position.transaction_first_offset = transaction_first_offset_;
  return position;
}

ProducerEntry ProducerState::entry() const {
  ProducerEntry entry = {.producer_id = producer_id_,
                         .producer_epoch = epoch_,
                         .timestamp_ms = last_timestamp_ms_,
                         .coordinator_epoch = coordinator_epoch_,
                         .transaction_first_offset = transaction_first_offset_};
  if (const KeptBatch& last = kept(0); last.last_offset >= 0) {
    entry.last_sequence = last.last_sequence;
    entry.last_offset = last.last_offset;
    entry.offset_delta = last.offset_delta;
  }
  return entry;
}

void ProducerState::RememberKept(const ProducerState& recent) {
  if (kept_count() == 0 || recent.kept_count() == 0 ||
      recent.epoch_ != epoch_ ||
      recent.kept(0).last_offset != kept(0).last_offset) {
    return;
  }
  kept_ = recent.kept_;
  newest_ = recent.newest_;
  is_in_order_ = is_in_order_ && recent.is_in_order_;
}

}  // namespace varve
