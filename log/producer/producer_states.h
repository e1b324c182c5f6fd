// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_LOG_PRODUCER_PRODUCER_STATES_H_
#define VARVE_LOG_PRODUCER_PRODUCER_STATES_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "varve/index/transaction_index.h"
#include "varve/log/producer/producer_batch.h"
#include "varve/log/producer/producer_list.h"
#include "varve/log/producer/producer_snapshot.h"
#include "varve/log/producer/producer_state.h"
#include "varve/log/producer/sequence_number.h"

namespace varve {

// Who appends a batch.
enum class AppendOrigin : uint8_t {
  kClient,       // a producer: everything is checked
  kCoordinator,  // a coordinator, for a producer: not the sequences
  kLog,          // nobody: it is in the log already, and is not judged
};

// What to do with a batch.
enum class ProducerVerdict : uint8_t {
  kAppend,
  // It is in the log already: it is not appended, and its producer gets the
  // place that it has (`DuplicateOf`), as if it had been.
  kDuplicate,
  // It must not be appended: its producer gets an error (`RefusalOf`).
  kRefused,
};

// A transaction that a marker has ended.
struct EndedTransaction {
  int64_t producer_id = -1;
  int64_t first_offset = 0;  // of its first batch
  int64_t last_offset = 0;   // of the marker
  // Of the log, at once after the marker: the first offset of the earliest
  // transaction that is still open, else the offset after the marker.
  int64_t last_stable_offset = 0;
  bool aborted = false;

  // Its entry in the transaction index, if it was aborted.
  AbortedTransaction index_entry() const {
    return {producer_id, first_offset, last_offset, last_stable_offset};
  }

  friend bool operator==(const EndedTransaction&,
                         const EndedTransaction&) = default;
};

// What a partition knows of the producers that append to it with a producer id:
// idempotent and transactional ones. Kafka's ProducerStateManager, without its
// files; the rules are those of ProducerAppendInfo (KIP-98, KIP-360).
//
//   switch (states.Judge(batch, origin)) {
//     case kRefused: return states.RefusalOf(batch, origin);
//     case kDuplicate: … the place is states.DuplicateOf(batch)
//     case kAppend: break;
//   }
//   … store the batch at `place` …
//   std::optional<EndedTransaction> ended = states.Note(batch, place);
//   if (ended.has_value() && ended->aborted) … into the transaction index
//
// After an open: construct it from the newest snapshot, and Note the batches of
// the log from the snapshot's offset on (from an earlier one is as good), in
// the order of their offsets. Then the states are as before, but for one thing:
// of each producer fewer batches are remembered, the one of the snapshot and
// those noted since; `RememberKept` adds what is read again before the
// snapshot.
//
// A batch without a producer costs a comparison, in each of both. For a
// producer that is known, Judge and Note allocate nothing and take constant
// time; so do the first unstable and the last stable offset. For one that is
// not, Judge allocates what Note needs, so that the Note of a batch that was
// judged cannot fail.
//
// Memory: bounded, unlike Kafka's. At most `producers_max` are known. For one
// more, that which has not appended for longest is forgotten, as if it had
// expired: when it appends again, any sequence is accepted, and a batch that it
// repeats is in the log twice. One with an open transaction is never forgotten:
// when all have one, Judge refuses another producer. Only the Note of what is
// in the log already goes beyond the limit, with open transactions alone, which
// then are as many as the log holds.
//
// Thread safety: externally synchronized, by the partition's lock. A const
// method may run beside another one.
class ProducerStates {
 public:
  // A producer takes 200 to 300 bytes: 5 MB at most. Kafka has no such limit.
  static constexpr int64_t kProducersMax = 16'384;

  // No producer is known. Precondition: `producers_max` is 1 or more.
  explicit ProducerStates(int64_t producers_max = kProducersMax);

  // Those of the snapshot are known, which is either what `Snapshot` has
  // returned or what `Decode` has. Of more than `producers_max` those at the
  // front that have no open transaction are forgotten. Of two with one id the
  // later one counts.
  explicit ProducerStates(const ProducerSnapshot& snapshot,
                          int64_t producers_max = kProducersMax);

  // One that was moved from may only be destroyed or assigned to.
  ProducerStates(ProducerStates&&) = default;
  ProducerStates& operator=(ProducerStates&&) = default;

  // Whether the batch may be appended now. It changes nothing that another
  // method shows, and throws nothing but std::bad_alloc. kLog, and a batch that
  // is no producer's: kAppend. Else, in this order:
  //
  //  - Fields that contradict each other, and a client's data without a
  //    sequence: refused.
  //  - Nothing is known of the producer: any epoch and any sequence, kAppend.
  //    Its state may have expired, or gone with the log. (Refused when there is
  //    no room for it.)
  //  - A client's data batch of the producer's epoch with exactly the first and
  //    last sequence of one of its last five batches: kDuplicate.
  //  - An epoch below the producer's: refused. One above: a client's first
  //    sequence has to be 0. Its own: the sequence after the last batch's,
  //    where 0 follows 2^31-1; 0 when no batch of the epoch is known, because
  //    only a marker was seen.
  //  - A batch outside of transactions while the producer has one open:
  //    refused.
  //  - A marker of a coordinator epoch below that of the last one: refused. Its
  //    producer epoch may be the producer's or above it (transaction version 1:
  //    Kafka's version 2, which wants it above, is not known here).
  ProducerVerdict Judge(const ProducerBatch& batch, AppendOrigin origin);

  // Where the batch is: its offsets, and the timestamp that its append gave.
  // Precondition: Judge has just said kDuplicate.
  KeptBatch DuplicateOf(const ProducerBatch& batch) const;

  // Why it is refused: an error of log/producer/producer_refusal.h, with its
  // reason, the producer, its epoch, what was expected and what came.
  // Precondition: Judge has just said kRefused.
  absl::Status RefusalOf(const ProducerBatch& batch, AppendOrigin origin) const;

  // The batch is in the log, at `place`. Never refuses one: after an append it
  // is one that Judge has not refused, in the same hold of the lock; after an
  // open, one that was read from the log, where an epoch may go back, and
  // sequences may have gaps. It does nothing for a batch below the end of the
  // one noted last, or of the snapshot, and for a kInvalid one.
  //
  // Returns the transaction that it has ended, if there was one: a marker of a
  // producer without an open transaction, as retries leave them, ends none.
  std::optional<EndedTransaction> Note(const ProducerBatch& batch,
                                       const NotedPlace& place);

  // After they were made from a snapshot: has them remember, beside the last
  // batch of a producer, those before it, as `recent` has them, which has noted
  // the batches right before the snapshot's offset and knows nothing older.
  void RememberKept(const ProducerStates& recent);

  // The first offset of the earliest open transaction; nothing when none is
  // open. Everything below it is decided. It may lie below the log start, when
  // the first batch was deleted: then the log start counts.
  std::optional<int64_t> first_unstable_offset() const {
    if (open_.empty()) return std::nullopt;
    return open_.front()->state.transaction_first_offset();
  }

  // Up to where a reader of committed records may read, when the log is visible
  // up to `end_offset`. For an end that is not the visible one, such as the
  // durable one, see log/producer/ended_transactions.h.
  int64_t last_stable_offset(int64_t end_offset) const {
    return std::min(first_unstable_offset().value_or(end_offset), end_offset);
  }

  // How long a producer without an open transaction must not have appended to
  // be forgotten: `producer.id.expiration.ms`. And how often Kafka looks for
  // such.
  static constexpr int64_t kExpirationMs = 86'400'000;
  static constexpr int64_t kExpirationCheckIntervalMs = 600'000;

  // Forgets those that have expired; returns how many. Looks at all, and takes
  // those that it has not seen unused before as unused from now on: so the time
  // of a producer begins at the first call after its last batch, or after an
  // open. Not at the timestamp of its last batch, as in Kafka, where a producer
  // whose records are back-dated is forgotten while it appends.
  // Precondition: `now_ms` and `expiration_ms` are 0 or more.
  struct Expiration {
    int64_t now_ms = 0;
    int64_t expiration_ms = kExpirationMs;
  };
  int64_t Expire(const Expiration& expiration);

  // What a snapshot keeps of all producers, for the file of that offset: the
  // next offset of the log. First those without an open transaction, the one
  // that has not appended for longest first; then those with one, in the order
  // of their first offsets.
  ProducerSnapshot Snapshot(int64_t offset) const;

  // Null when nothing is known of it. Valid until the next Note or Expire.
  const ProducerState* Find(int64_t producer_id) const;

  bool empty() const { return producers_.empty(); }
  int64_t size() const { return static_cast<int64_t>(producers_.size()); }
  // How many were forgotten because there were too many.
  int64_t forgotten_count() const { return forgotten_count_; }

 private:
  ProducerVerdict JudgeAny(const ProducerBatch& batch, AppendOrigin origin);
  std::optional<EndedTransaction> NoteAny(const ProducerBatch& batch,
                                          const NotedPlace& place);
  void NoteData(const ProducerBatch& batch, const NotedPlace& place,
                ListedProducer* producer);
  std::optional<EndedTransaction> NoteMarker(const ProducerBatch& batch,
                                             const NotedPlace& place,
                                             ListedProducer* producer);
  bool HasRoom() const { return size() < producers_max_ || !idle_.empty(); }

  ListedProducer* Lookup(int64_t producer_id) {
    if (found_ != nullptr && found_->state.producer_id() == producer_id) {
      return found_;
    }
    return LookupInMap(producer_id);
  }
  ListedProducer* LookupInMap(int64_t producer_id);
  void PrepareAdd();
  ListedProducer* Add(const ProducerState& state);
  void KeepLimit();
  void Forget(ListedProducer* producer);
  void SortOpen();

  // Invariant: more than these are known only when all have a transaction open.
  int64_t producers_max_;
  int64_t forgotten_count_ = 0;
  int64_t noted_end_ = 0;  // the offset after the last batch that was noted

  absl::flat_hash_map<int64_t, std::unique_ptr<ListedProducer>> producers_;
  // Invariant: each is in one of the two, in `open_` while it has an open
  // transaction. `idle_` is in the order of their last batches, `open_` in that
  // of first offsets, which is the order in which they begin.
  ProducerList idle_;
  ProducerList open_;
  // The one looked up last, or null: Judge and Note ask for the same, and many
  // partitions have one producer.
  ListedProducer* found_ = nullptr;
  // For the next one that is added, or null.
  std::unique_ptr<ListedProducer> spare_;
};

// Inline is the batch that goes on where its producer has ended; the others are
// JudgeAny's and NoteAny's.

inline ProducerVerdict ProducerStates::Judge(const ProducerBatch& batch,
                                             AppendOrigin origin) {
  if (batch.kind == ProducerBatch::Kind::kNone) return ProducerVerdict::kAppend;
  const ListedProducer* const producer = Lookup(batch.producer_id);
  if (producer == nullptr || !batch.is_data() ||
      !producer->state.IsExpected(batch) ||
      (batch.kind == ProducerBatch::Kind::kData &&
       producer->state.has_open_transaction())) {
    return JudgeAny(batch, origin);
  }
  return ProducerVerdict::kAppend;
}

inline std::optional<EndedTransaction> ProducerStates::Note(
    const ProducerBatch& batch, const NotedPlace& place) {
  if (batch.kind == ProducerBatch::Kind::kNone) return std::nullopt;
  ListedProducer* const producer = Lookup(batch.producer_id);
  if (producer == nullptr || !batch.is_data() ||
      !producer->state.IsExpected(batch) || place.base_offset < noted_end_ ||
      producer->state.has_open_transaction() !=
          (batch.kind == ProducerBatch::Kind::kTransactional)) {
    return NoteAny(batch, place);
  }
  noted_end_ = place.base_offset + batch.last_offset_delta + 1;
  producer->state.NoteExpected(batch, place);
  if (batch.kind == ProducerBatch::Kind::kData) idle_.MoveToBack(producer);
  return std::nullopt;
}

}  // namespace varve

#endif  // VARVE_LOG_PRODUCER_PRODUCER_STATES_H_
