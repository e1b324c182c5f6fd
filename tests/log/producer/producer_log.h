// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_LOG_PRODUCER_PRODUCER_LOG_H_
#define VARVE_TESTS_LOG_PRODUCER_PRODUCER_LOG_H_

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "varve/log/producer/producer_batch.h"
#include "varve/log/producer/producer_snapshot.h"
#include "varve/log/producer/producer_state.h"
#include "varve/log/producer/producer_states.h"

namespace varve {

// Batches of producer 4000, epoch 0, if nothing else is said.
struct Producer {
  int64_t id = 4000;
  int16_t epoch = 0;

  ProducerBatch Data(int32_t base_sequence, int32_t records = 1) const {
    return {.kind = ProducerBatch::Kind::kData,
            .producer_epoch = epoch,
            .base_sequence = base_sequence,
            .last_offset_delta = records - 1,
            .producer_id = id};
  }
  ProducerBatch Transactional(int32_t base_sequence,
                              int32_t records = 1) const {
    ProducerBatch batch = Data(base_sequence, records);
    batch.kind = ProducerBatch::Kind::kTransactional;
    return batch;
  }
  ProducerBatch Abort(int32_t coordinator_epoch = 7) const {
    return {.kind = ProducerBatch::Kind::kAbort,
            .producer_epoch = epoch,
            .coordinator_epoch = coordinator_epoch,
            .producer_id = id};
  }
  ProducerBatch Commit(int32_t coordinator_epoch = 7) const {
    ProducerBatch marker = Abort(coordinator_epoch);
    marker.kind = ProducerBatch::Kind::kCommit;
    return marker;
  }
};

// The states of a partition's producers and the end of its log, as appends and
// recovery use them.
class ProducerLog {
 public:
  explicit ProducerLog(int64_t producers_max = ProducerStates::kProducersMax)
      : states_(producers_max) {}

  struct Appended {
    ProducerVerdict verdict = ProducerVerdict::kAppend;
    KeptBatch place;  // of a duplicate
  };

  // Appends the batch if it may be.
  absl::StatusOr<Appended> Append(const ProducerBatch& batch,
                                  AppendOrigin origin = AppendOrigin::kClient) {
    switch (states_.Judge(batch, origin)) {
      case ProducerVerdict::kRefused:
        return states_.RefusalOf(batch, origin);
      case ProducerVerdict::kDuplicate:
        return Appended{ProducerVerdict::kDuplicate,
                        states_.DuplicateOf(batch)};
      case ProducerVerdict::kAppend:
        break;
    }
    ended_ = Replay(batch);
    return Appended{};
  }

  // The batch is in the log, whatever anybody thinks of it.
  std::optional<EndedTransaction> Replay(const ProducerBatch& batch) {
    const NotedPlace place = {.base_offset = end_, .timestamp_ms = time_ms_};
    end_ += int64_t{batch.last_offset_delta} + 1;
    return states_.Note(batch, place);
  }

  // A batch of no producer.
  void Skip(int64_t offsets) { end_ += offsets; }

  // The time of the batches from now on.
  void SetTime(int64_t time_ms) { time_ms_ = time_ms; }

  // What is left after an open: the states of the snapshot alone.
  void Reload(const ProducerSnapshot& snapshot) {
    states_ = ProducerStates(snapshot);
    end_ = snapshot.offset;
  }

  // What the last `Append` has ended.
  std::optional<EndedTransaction> TakeEnded() {
    return std::exchange(ended_, std::nullopt);
  }

  ProducerStates& states() { return states_; }
  int64_t end() const { return end_; }

 private:
  ProducerStates states_;
  int64_t end_ = 0;
  int64_t time_ms_ = 1'700'000'000'000;
  std::optional<EndedTransaction> ended_;
};

}  // namespace varve

#endif  // VARVE_TESTS_LOG_PRODUCER_PRODUCER_LOG_H_
