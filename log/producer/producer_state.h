// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PRODUCER_PRODUCER_STATE_H_
#define VARVE_LOG_PRODUCER_PRODUCER_STATE_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "varve/log/producer/producer_batch.h"
#include "varve/log/producer/producer_position.h"
#include "varve/log/producer/producer_snapshot.h"
#include "varve/log/producer/sequence_number.h"

namespace varve {

// A data batch that is in the log, as a producer's state remembers it. There
// are as many sequences in it as offsets.
struct KeptBatch {
  int32_t last_sequence = kNoSequence;
  int32_t offset_delta = 0;  // last offset less first
  int64_t last_offset = -1;
  int64_t timestamp_ms = -1;  // the largest, or that of its append

  int64_t first_offset() const { return last_offset - offset_delta; }

  friend bool operator==(const KeptBatch&, const KeptBatch&) = default;
};

// Where a batch has gone.
struct NotedPlace {
  int64_t base_offset = 0;
  // The largest of its records, or that of its append (LogAppendTime).
  int64_t timestamp_ms = -1;
};

// What the log knows of one producer: its epoch, its last data batches in that
// epoch, and the transaction that it has open. Kafka's ProducerStateEntry. It
// judges nothing, and allocates nothing.
//
// Thread safety: externally synchronized.
class ProducerState {
 public:
  // How many data batches are remembered, so that they are found when they are
  // appended again: as many as a producer of Kafka's has under way at once.
  static constexpr int kKeptBatches = 5;

  // One of which nothing is known but the id, until it is told more.
  explicit ProducerState(int64_t producer_id) : producer_id_(producer_id) {}

  // One of whose batches, if any, the last one is known.
  explicit ProducerState(const ProducerEntry& entry);

  int64_t producer_id() const { return producer_id_; }
  int16_t epoch() const { return epoch_; }
  // Of its last marker; -1 before the first.
  int32_t coordinator_epoch() const { return coordinator_epoch_; }
  // The largest of its last batch, data or marker.
  int64_t last_timestamp_ms() const { return last_timestamp_ms_; }

  // When it was first seen not to have appended since it was looked at before:
  // what it expires by. It is known to this process alone. -1: it has appended
  // since, or was read from the log and its files.
  int64_t unused_since_ms() const { return unused_since_ms_; }
  void NoteUnused(int64_t now_ms) { unused_since_ms_ = now_ms; }

  bool has_open_transaction() const { return transaction_first_offset_ >= 0; }
  // Precondition: `has_open_transaction()`.
  int64_t transaction_first_offset() const { return transaction_first_offset_; }

  // The data batches that are remembered, all of them of `epoch()`: `kept(0)`
  // is the last one, `kept(1)` that before it.
  // Precondition: 0 <= i < kept_count().
  int kept_count() const;
  const KeptBatch& kept(int i) const {
    return kept_[static_cast<size_t>((newest_ + kKeptBatches - i) %
                                     kKeptBatches)];
  }

  // The base sequence that the next batch of `epoch()` has to have: that after
  // the last one; 0 when no batch of the epoch is remembered.
  int32_t expected_sequence() const { return expected_sequence_; }

  // Whether `batch`, a data batch, is of this epoch and goes on with the
  // expected sequence, and for certain is none that is remembered. Quick, and
  // true of most; when it is false, nothing follows.
  bool IsExpected(const ProducerBatch& batch) const {
    return batch.base_sequence == expected_sequence_ &&
           batch.producer_epoch == epoch_ && is_in_order_;
  }

  // The remembered batch with exactly these sequences, or null. Of several, as
  // a log has them whose appends were not judged, the earliest.
  // Precondition: `last_sequence` is 0 or more.
  const KeptBatch* FindKept(int32_t last_sequence, int32_t offset_delta) const;

  // A data batch is in the log. One of another epoch, a lower one too, makes
  // that the producer's, and the batches of the present one are forgotten.
  void NoteBatch(const ProducerBatch& batch, const NotedPlace& place);

  // The same. Precondition: `IsExpected(batch)`.
  void NoteExpected(const ProducerBatch& batch, const NotedPlace& place) {
    is_in_order_ = batch.last_offset_delta < kDeltaInOrderMax;
    Keep({.last_sequence =
              SequenceAfter(batch.base_sequence, batch.last_offset_delta),
          .offset_delta = batch.last_offset_delta,
          .last_offset = place.base_offset + batch.last_offset_delta,
          .timestamp_ms = place.timestamp_ms});
  }

  // The first batch of a transaction is at this offset.
  void BeginTransaction(int64_t first_offset) {
    transaction_first_offset_ = first_offset;
  }

  // A marker is in the log: no transaction is open any more. Batches of the
  // same epoch stay remembered, because the next transaction goes on with the
  // sequences.
  void NoteMarker(const ProducerBatch& marker, const NotedPlace& place);

  ProducerPosition position() const;

  // What a snapshot keeps of it.
  ProducerEntry entry() const;

  // Remembers the batches that `recent` remembers, which is the same producer
  // by its last batches alone; if both have the same last one.
  void RememberKept(const ProducerState& recent);

 private:
  // Five batches shorter than this cannot go all around: when they are in
  // order, none of them begins where the next one has to.
  static constexpr int32_t kDeltaInOrderMax = 1 << 28;

  void SetEpoch(int16_t epoch);
  void Keep(const KeptBatch& batch) {
    newest_ = newest_ + 1 == kKeptBatches ? 0 : newest_ + 1;
    kept_[newest_] = batch;
    expected_sequence_ = SequenceAfter(batch.last_sequence, 1);
    last_timestamp_ms_ = batch.timestamp_ms;
    unused_since_ms_ = -1;
  }

  int64_t producer_id_;
  int16_t epoch_ = -1;
  uint8_t newest_ = 0;
  bool is_in_order_ = true;  // all batches since the epoch began, and short
  int32_t expected_sequence_ = 0;
  int32_t coordinator_epoch_ = -1;
  int64_t last_timestamp_ms_ = -1;
  int64_t unused_since_ms_ = -1;
  int64_t transaction_first_offset_ = -1;
  // A ring. Invariant: those that hold no batch have no offset and no sequence.
  std::array<KeptBatch, kKeptBatches> kept_ = {};
};

}  // namespace varve

#endif  // VARVE_LOG_PRODUCER_PRODUCER_STATE_H_
