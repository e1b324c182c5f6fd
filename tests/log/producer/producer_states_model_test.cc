// SPDX-License-Identifier: Apache-2.0

// Random appends of several producers: retries, gaps, epochs, transactions,
// sequences that wrap around. ProducerStates has to agree with a model that
// keeps the whole history, after every step.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/log/producer/producer_history.h"
#include "varve/log/producer/producer_batch.h"
#include "varve/log/producer/producer_snapshot.h"
#include "varve/log/producer/producer_state.h"
#include "varve/log/producer/producer_states.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;

using Kind = ProducerBatch::Kind;

constexpr int64_t kProducers = 6;
constexpr int64_t kExpirationMs = 300;

class ModelRun {
 public:
  ModelRun(uint64_t seed, int64_t producers_max)
      : random_(seed),
        producers_max_(producers_max),
        states_(producers_max),
        history_(static_cast<size_t>(producers_max)) {}

  void Step() {
    time_ms_ += Below(10);
    end_ += Below(3);  // batches of no producer
    const ProducerBatch batch = Draw();
    const AppendOrigin origin = DrawOrigin();
    if (origin == AppendOrigin::kLog || Judge(batch, origin)) Note(batch);
    ASSERT_EQ(states_.first_unstable_offset(), history_.FirstUnstable());
    ASSERT_EQ(states_.size(), static_cast<int64_t>(history_.known_count()));
  }

  void Expire() {
    const ProducerStates::Expiration expiration = {
        .now_ms = time_ms_, .expiration_ms = kExpirationMs};
    states_.Expire(expiration);
    history_.Expire(expiration);
  }

  int duplicates() const { return duplicates_; }

  void CompareAll() const {
    for (int64_t id = 0; id < kProducers; ++id) {
      const ProducerState* const known = states_.Find(id);
      const auto entry = history_.Entry(id);
      ASSERT_EQ(known != nullptr, entry.has_value()) << id;
      if (known == nullptr) continue;
      ASSERT_EQ(known->entry(), *entry) << id;
      const auto kept = history_.Kept(id);
      ASSERT_EQ(static_cast<size_t>(known->kept_count()), kept.size());
      for (size_t i = 0; i < kept.size(); ++i) {
        const auto& item = kept[kept.size() - 1 - i];
        ASSERT_EQ(known->kept(static_cast<int>(i)),
                  (KeptBatch{static_cast<int32_t>(item.last_sequence()),
                             item.batch.last_offset_delta, item.last_offset(),
                             item.place.timestamp_ms}));
      }
    }
  }

  // The file of a snapshot, as a roll writes it.
  struct File {
    int64_t offset = 0;
    std::string bytes;
  };
  File TakeSnapshot() const { return {end_, states_.Snapshot(end_).Encode()}; }

  // Opens the log again: from that snapshot, with the batches behind it.
  void CompareWithReopened(const File& file) const {
    const auto snapshot = ProducerSnapshot::Decode(file.bytes, file.offset);
    ASSERT_THAT(snapshot, IsOk());
    ProducerStates reopened(*snapshot, producers_max_);
    // Those before it as well: they change nothing.
    for (const auto& item : history_.all()) {
      reopened.Note(item.batch, item.place);
    }
    ASSERT_EQ(reopened.Snapshot(end_).producers,
              states_.Snapshot(end_).producers);
    for (int64_t id = 0; id < kProducers; ++id) {
      const ProducerState* const before = states_.Find(id);
      if (before == nullptr) continue;
      const ProducerState& after = *reopened.Find(id);
      for (int i = 0; i < before->kept_count(); ++i) {
        const bool since = before->kept(i).last_offset >= file.offset;
        ASSERT_TRUE(!since || i < after.kept_count()) << id;
        // The first one of the snapshot has its producer's timestamp.
        if (since) {
          ASSERT_EQ(after.kept(i), before->kept(i)) << id;
        }
      }
    }
  }

 private:
  int64_t Below(int64_t end) {
    return static_cast<int64_t>(random_() % static_cast<uint64_t>(end));
  }
  bool OneIn(int64_t n) { return Below(n) == 0; }

  AppendOrigin DrawOrigin() {
    if (OneIn(10)) return AppendOrigin::kLog;
    return OneIn(10) ? AppendOrigin::kCoordinator : AppendOrigin::kClient;
  }

  // The sequence, which has perhaps gone past either end, back in its range.
  static int32_t Wrapped(int64_t sequence) {
    return static_cast<int32_t>(sequence & 0x7fffffff);
  }

  ProducerBatch Draw() {
    const int64_t id = Below(kProducers);
    const ProducerState* const known = states_.Find(id);
    if (known == nullptr) return Data(id, 0, FirstSequence());
    const int16_t epoch = known->epoch();
    const int32_t expected = known->expected_sequence();
    switch (Below(12)) {
      case 0:
        return Data(id, epoch, Wrapped(int64_t{expected} + 1 + Below(3)));
      case 1:
        return Data(id, epoch, Wrapped(int64_t{expected} - 1 - Below(9)));
      case 2:
        return Data(id, static_cast<int16_t>(epoch + 1),
                    OneIn(3) ? expected : 0);
      case 3:
        return Data(id, static_cast<int16_t>(epoch == 0 ? 0 : epoch - 1),
                    expected);
      case 4:
      case 5:
      case 6:
        return Marker(id, epoch);
      case 7:
      case 8:
        if (const auto retry = Retry(id); retry.has_value()) return *retry;
        [[fallthrough]];
      default:
        return Data(id, epoch, expected);
    }
  }

  int32_t FirstSequence() {
    return static_cast<int32_t>(OneIn(2) ? Below(3) : 0x7fffffff - Below(20));
  }

  // Producers with odd ids are transactional, mostly.
  ProducerBatch Data(int64_t id, int16_t epoch, int32_t base_sequence) {
    const bool transactional = (id % 2 == 1) != OneIn(12);
    return {.kind = transactional ? Kind::kTransactional : Kind::kData,
            .producer_epoch = epoch,
            .base_sequence = OneIn(25) ? -1 : base_sequence,
            .last_offset_delta = static_cast<int32_t>(Below(4)),
            .producer_id = id};
  }

  ProducerBatch Marker(int64_t id, int16_t epoch) {
    return {.kind = OneIn(2) ? Kind::kAbort : Kind::kCommit,
            .producer_epoch = static_cast<int16_t>(epoch + OneIn(6)),
            .coordinator_epoch = static_cast<int32_t>(Below(3)) + coordinator_,
            .producer_id = id};
  }

  // One of the producer's last batches once more.
  std::optional<ProducerBatch> Retry(int64_t id) {
    std::vector<ProducerBatch> mine;
    for (const auto& item : history_.all()) {
      if (item.batch.producer_id == id) mine.push_back(item.batch);
    }
    if (mine.empty()) return std::nullopt;
    const auto back = static_cast<size_t>(Below(8));
    return mine[mine.size() - 1 - std::min(back, mine.size() - 1)];
  }

  // Whether it is to be appended.
  bool Judge(const ProducerBatch& batch, AppendOrigin origin) {
    std::optional<ProducerHistory::Item> duplicate;
    const absl::StatusCode code = history_.Judge(batch, origin, &duplicate);
    const ProducerVerdict verdict = states_.Judge(batch, origin);
    EXPECT_EQ(verdict == ProducerVerdict::kRefused,
              code != absl::StatusCode::kOk);
    if (verdict == ProducerVerdict::kRefused) {
      const absl::Status status = states_.RefusalOf(batch, origin);
      EXPECT_EQ(status.code(), code) << status;
      return false;
    }
    const bool is_duplicate = verdict == ProducerVerdict::kDuplicate;
    EXPECT_EQ(is_duplicate, duplicate.has_value());
    if (is_duplicate && duplicate.has_value()) {
      const KeptBatch place = states_.DuplicateOf(batch);
      EXPECT_EQ(place.first_offset(), duplicate->place.base_offset);
      EXPECT_EQ(place.last_offset, duplicate->last_offset());
      EXPECT_EQ(place.timestamp_ms, duplicate->place.timestamp_ms);
    }
    duplicates_ += is_duplicate;
    return !is_duplicate;
  }

  void Note(const ProducerBatch& batch) {
    const NotedPlace place = {.base_offset = end_, .timestamp_ms = time_ms_};
    end_ += int64_t{batch.last_offset_delta} + 1;
    EXPECT_EQ(states_.Note(batch, place), history_.Note(batch, place));
    if (OneIn(100)) ++coordinator_;
  }

  std::mt19937_64 random_;
  const int64_t producers_max_;
  ProducerStates states_;
  ProducerHistory history_;
  int64_t end_ = 0;
  int64_t time_ms_ = 1000;
  int32_t coordinator_ = 0;
  int duplicates_ = 0;
};

class ProducerStatesModelTest : public testing::TestWithParam<int64_t> {};

// All fit; not all fit, so that some are forgotten, or refused.
INSTANTIATE_TEST_SUITE_P(Limits, ProducerStatesModelTest,
                         testing::Values(kProducers, 4, 1));

constexpr int kRounds = 12;
constexpr int kSteps = 300;

TEST_P(ProducerStatesModelTest, AgreesWithTheHistory) {
  const uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  int duplicates = 0;
  for (int round = 0; round < kRounds; ++round) {
    ModelRun run(seed + static_cast<uint64_t>(round), GetParam());
    for (int i = 0; i < kSteps; ++i) {
      ASSERT_NO_FATAL_FAILURE(run.Step()) << "seed " << seed;
      if (i % 40 == 39) run.Expire();
      ASSERT_NO_FATAL_FAILURE(run.CompareAll()) << "seed " << seed;
      ASSERT_FALSE(HasFailure()) << "seed " << seed << ", step " << i;
    }
    duplicates += run.duplicates();
  }
  EXPECT_GT(duplicates, 0);
}

TEST_P(ProducerStatesModelTest, SnapshotAndReplayGiveTheStatesAgain) {
  const uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  for (int round = 0; round < kRounds; ++round) {
    ModelRun run(seed + static_cast<uint64_t>(round), GetParam());
    std::vector<ModelRun::File> files = {run.TakeSnapshot()};
    for (int i = 0; i < kSteps; ++i) {
      ASSERT_NO_FATAL_FAILURE(run.Step()) << "seed " << seed;
      if (i % 37 == 0) files.push_back(run.TakeSnapshot());
    }
    files.push_back(run.TakeSnapshot());
    for (const ModelRun::File& file : files) {
      ASSERT_NO_FATAL_FAILURE(run.CompareWithReopened(file))
          << "seed " << seed << ", round " << round << ", snapshot at "
          << file.offset;
    }
  }
}

}  // namespace
}  // namespace varve
