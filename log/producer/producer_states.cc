// SPDX-License-Identifier: Apache-2.0

#include "varve/log/producer/producer_states.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/log/log.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "varve/log/producer/producer_batch.h"
#include "varve/log/producer/producer_list.h"
#include "varve/log/producer/producer_refusal.h"
#include "varve/log/producer/producer_snapshot.h"
#include "varve/log/producer/producer_state.h"
#include "varve/log/producer/sequence_number.h"

namespace varve {
namespace {

using Kind = ProducerBatch::Kind;

// Whether a batch is what its kind and its origin want, whatever is known.
bool HasInvalidFields(const ProducerBatch& batch, AppendOrigin origin) {
  return batch.kind == Kind::kInvalid ||
         (origin == AppendOrigin::kClient && batch.is_data() &&
          batch.base_sequence < 0);
}

const KeptBatch* FindDuplicate(const ProducerBatch& batch,
                               const ProducerState& known) {
  return known.FindKept(
      LastSequence(batch.base_sequence, batch.last_offset_delta),
      batch.last_offset_delta);
}

// Why the sequence of a client's batch is wrong, for a known producer.
std::optional<ProducerRefusal> CheckSequence(const ProducerBatch& batch,
                                             const ProducerState& known) {
  if (batch.producer_epoch != known.epoch()) {
    if (batch.base_sequence == 0) return std::nullopt;
    return ProducerRefusal::kSequenceGap;
  }
  const int32_t expected = known.expected_sequence();
  if (batch.base_sequence == expected) return std::nullopt;
  return known.kept_count() > 0 && IsBefore(batch.base_sequence, expected)
             ? ProducerRefusal::kOldSequence
             : ProducerRefusal::kSequenceGap;
}

// Why a batch of a known producer is refused, if it is.
std::optional<ProducerRefusal> ReasonToRefuse(const ProducerBatch& batch,
                                              AppendOrigin origin,
                                              const ProducerState& known) {
  if (batch.producer_epoch < known.epoch()) return ProducerRefusal::kOldEpoch;
  if (batch.is_marker()) {
    if (batch.coordinator_epoch >= known.coordinator_epoch()) {
      return std::nullopt;
    }
    return ProducerRefusal::kOldCoordinator;
  }
  if (origin == AppendOrigin::kClient) {
    const auto reason = CheckSequence(batch, known);
    if (reason.has_value()) return reason;
  }
  if (batch.kind == Kind::kData && known.has_open_transaction()) {
    return ProducerRefusal::kOpenTransaction;
  }
  return std::nullopt;
}

// The message of a refusal, after the name of the producer. `known` is null
// when nothing is known of it.
std::string RefusalText(ProducerRefusal reason, const ProducerBatch& batch,
                        const ProducerState* known) {
  switch (reason) {
    case ProducerRefusal::kInvalidFields:
      return absl::StrCat(
          "a producer id, an epoch and, but for markers, a base sequence of 0 "
          "or more go together, got base sequence ",
          batch.base_sequence);
    case ProducerRefusal::kOldEpoch:
      return absl::StrCat("expected epoch ", known->epoch(), " or later, got ",
                          batch.producer_epoch,
                          ": it is fenced, another one has taken its place");
    case ProducerRefusal::kSequenceGap:
      return absl::StrCat("expected sequence ",
                          batch.producer_epoch == known->epoch()
                              ? known->expected_sequence()
                              : 0,
                          ", got ", batch.base_sequence,
                          batch.producer_epoch == known->epoch()
                              ? ": a batch before this one is missing"
                              : ": a new epoch begins with 0");
    case ProducerRefusal::kOldSequence:
      return absl::StrCat("expected sequence ", known->expected_sequence(),
                          ", got ", batch.base_sequence,
                          ": it was appended before, and is none of the last ",
                          ProducerState::kKeptBatches, " batches");
    case ProducerRefusal::kOpenTransaction:
      return absl::StrCat(
          "expected a batch of its transaction, open since "
          "offset ",
          known->transaction_first_offset(),
          ", got one outside of transactions");
    case ProducerRefusal::kOldCoordinator:
      return absl::StrCat("expected a marker of coordinator epoch ",
                          known->coordinator_epoch(), " or later, got ",
                          batch.coordinator_epoch);
    case ProducerRefusal::kTooManyTransactions:
      return "no room for its state until one of the open transactions ends";
  }
  LOG(FATAL) << "no reason: " << static_cast<int>(reason);
}

}  // namespace

ProducerStates::ProducerStates(int64_t producers_max)
    : producers_max_(producers_max) {
  CHECK_GE(producers_max, 1);
}

ProducerStates::ProducerStates(const ProducerSnapshot& snapshot,
                               int64_t producers_max)
    : ProducerStates(producers_max) {
  for (const ProducerEntry& entry : snapshot.producers) {
    if (ListedProducer* twice = Lookup(entry.producer_id); twice != nullptr) {
      Forget(twice);
    }
    Add(ProducerState(entry));
    KeepLimit();
  }
  SortOpen();
  noted_end_ = snapshot.offset;
}

// A snapshot need not have the open transactions in their order.
void ProducerStates::SortOpen() {
  std::vector<ListedProducer*> open;
  while (!open_.empty()) {
    open.push_back(open_.front());
    open_.Remove(open.back());
  }
  std::sort(open.begin(), open.end(),
            [](const ListedProducer* a, const ListedProducer* b) {
              return a->state.transaction_first_offset() <
                     b->state.transaction_first_offset();
            });
  for (ListedProducer* producer : open) open_.PushBack(producer);
}

void ProducerStates::RememberKept(const ProducerStates& recent) {
  for (const auto& [id, producer] : producers_) {
    const ProducerState* const again = recent.Find(id);
    if (again != nullptr) producer->state.RememberKept(*again);
  }
}

ProducerVerdict ProducerStates::JudgeAny(const ProducerBatch& batch,
                                         AppendOrigin origin) {
  if (origin == AppendOrigin::kLog) return ProducerVerdict::kAppend;
  if (HasInvalidFields(batch, origin)) return ProducerVerdict::kRefused;
  const ListedProducer* const producer = Lookup(batch.producer_id);
  if (producer == nullptr) {
    if (!HasRoom()) return ProducerVerdict::kRefused;
    PrepareAdd();
    return ProducerVerdict::kAppend;
  }
  const ProducerState& known = producer->state;
  if (origin == AppendOrigin::kClient && batch.is_data() &&
      batch.producer_epoch == known.epoch() &&
      FindDuplicate(batch, known) != nullptr) {
    return ProducerVerdict::kDuplicate;
  }
  return ReasonToRefuse(batch, origin, known).has_value()
             ? ProducerVerdict::kRefused
             : ProducerVerdict::kAppend;
}

KeptBatch ProducerStates::DuplicateOf(const ProducerBatch& batch) const {
  const ProducerState* const known = Find(batch.producer_id);
  CHECK(known != nullptr);
  const KeptBatch* const kept = FindDuplicate(batch, *known);
  CHECK(kept != nullptr);
  return *kept;
}

absl::Status ProducerStates::RefusalOf(const ProducerBatch& batch,
                                       AppendOrigin origin) const {
  const ProducerState* const known = Find(batch.producer_id);
  std::optional<ProducerRefusal> reason;
  if (HasInvalidFields(batch, origin)) {
    reason = ProducerRefusal::kInvalidFields;
  } else if (known == nullptr) {
    reason = ProducerRefusal::kTooManyTransactions;
  } else {
    reason = ReasonToRefuse(batch, origin, *known);
  }
  CHECK(reason.has_value());
  return ProducerRefusalError(
      *reason, absl::StrCat("producer ", batch.producer_id, ", epoch ",
                            batch.producer_epoch, ": ",
                            RefusalText(*reason, batch, known)));
}

std::optional<EndedTransaction> ProducerStates::NoteAny(
    const ProducerBatch& batch, const NotedPlace& place) {
  if (batch.kind == Kind::kInvalid || place.base_offset < noted_end_) {
    return std::nullopt;
  }
  ListedProducer* producer = Lookup(batch.producer_id);
  if (producer == nullptr) producer = Add(ProducerState(batch.producer_id));
  noted_end_ = place.base_offset + batch.last_offset_delta + 1;
  std::optional<EndedTransaction> ended;
  if (batch.is_marker()) {
    ended = NoteMarker(batch, place, producer);
  } else {
    NoteData(batch, place, producer);
  }
  KeepLimit();
  return ended;
}

void ProducerStates::NoteData(const ProducerBatch& batch,
                              const NotedPlace& place,
                              ListedProducer* producer) {
  ProducerState& state = producer->state;
  state.NoteBatch(batch, place);
  if (state.has_open_transaction()) return;
  if (batch.kind == Kind::kTransactional) {
    idle_.Remove(producer);
    state.BeginTransaction(place.base_offset);
    open_.PushBack(producer);
  } else {
    idle_.MoveToBack(producer);
  }
}

std::optional<EndedTransaction> ProducerStates::NoteMarker(
    const ProducerBatch& batch, const NotedPlace& place,
    ListedProducer* producer) {
  ProducerState& state = producer->state;
  std::optional<EndedTransaction> ended;
  if (state.has_open_transaction()) {
    ended = {.producer_id = batch.producer_id,
             .first_offset = state.transaction_first_offset(),
             .last_offset = place.base_offset,
             .aborted = batch.kind == Kind::kAbort};
    open_.Remove(producer);
    idle_.PushBack(producer);
    ended->last_stable_offset = last_stable_offset(place.base_offset + 1);
  } else {
    idle_.MoveToBack(producer);
  }
  state.NoteMarker(batch, place);
  return ended;
}

int64_t ProducerStates::Expire(const Expiration& expiration) {
  const int64_t last_expired_ms = expiration.now_ms - expiration.expiration_ms;
  int64_t count = 0;
  for (ListedProducer* producer = idle_.front(); producer != nullptr;) {
    ListedProducer* const after = producer->after;
    ProducerState& state = producer->state;
    if (state.unused_since_ms() < 0) state.NoteUnused(expiration.now_ms);
    if (state.unused_since_ms() <= last_expired_ms) {
      Forget(producer);
      ++count;
    }
    producer = after;
  }
  return count;
}

ProducerSnapshot ProducerStates::Snapshot(int64_t offset) const {
  ProducerSnapshot snapshot = {.offset = offset};
  snapshot.producers.reserve(producers_.size());
  for (const ProducerList* list : {&idle_, &open_}) {
    for (const ListedProducer* producer = list->front(); producer != nullptr;
         producer = producer->after) {
      snapshot.producers.push_back(producer->state.entry());
    }
  }
  return snapshot;
}

const ProducerState* ProducerStates::Find(int64_t producer_id) const {
  const auto found = producers_.find(producer_id);
  return found == producers_.end() ? nullptr : &found->second->state;
}

ListedProducer* ProducerStates::LookupInMap(int64_t producer_id) {
  const auto found = producers_.find(producer_id);
  if (found == producers_.end()) return nullptr;
  return found_ = found->second.get();
}

// Allocates all that `Add` needs. Memory alone can fail here, and then nothing
// has changed.
void ProducerStates::PrepareAdd() {
  if (spare_ == nullptr) {
    spare_ = std::make_unique<ListedProducer>(ProducerState(kNoProducer));
  }
  producers_.reserve(producers_.size() + 1);
}

// Precondition: it is not known.
ListedProducer* ProducerStates::Add(const ProducerState& state) {
  PrepareAdd();
  ListedProducer* const producer = spare_.get();
  producer->state = state;
  producers_.emplace(state.producer_id(), std::move(spare_));
  (state.has_open_transaction() ? open_ : idle_).PushBack(producer);
  return producer;
}

void ProducerStates::KeepLimit() {
  while (size() > producers_max_ && !idle_.empty()) {
    Forget(idle_.front());
    ++forgotten_count_;
  }
}

void ProducerStates::Forget(ListedProducer* producer) {
  if (found_ == producer) found_ = nullptr;
  (producer->state.has_open_transaction() ? open_ : idle_).Remove(producer);
  producers_.erase(producer->state.producer_id());
}

}  // namespace varve
