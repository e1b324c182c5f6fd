// SPDX-License-Identifier: Apache-2.0

// Random logs: keys, tombstones, producers with sequences, transactions and
// codecs; compacted again and again, up to random places, with maps that are
// too small and checkpoints that are lost, while time goes on and more is
// appended. What stays has to be what a model says, batch by batch.

#include "tests/log/compaction/compaction_model.h"

#include <cstddef>
#include <cstdint>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status_matchers.h"
#include "gtest/gtest.h"
#include "tests/fixture/random_records.h"
#include "tests/log/compaction/batch_log.h"
#include "tests/log/compaction/compaction_run.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/compaction/offset_map.h"
#include "varve/log/producer/producer_batch.h"
#include "varve/log/producer/producer_snapshot.h"
#include "varve/log/producer/producer_state.h"
#include "varve/log/producer/producer_states.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;

using Kind = ModelBatch::Kind;

constexpr int64_t kRetentionMs = 100;

class ModelRun {
 public:
  explicit ModelRun(uint64_t seed) : random_(seed), keys_(2 + Below(40)) {}

  void Step() {
    switch (Below(12)) {
      case 0:
        return Compact();
      case 1:
      case 2:
        return End(200 + Below(3));
      case 3:
      case 4:
      case 5:
        return AppendTransactional(200 + Below(3));
      case 6:
      case 7:
        return AppendData(100 + Below(2), std::nullopt);
      default:
        return AppendData(-1, std::nullopt);
    }
  }

  int passes() const { return passes_; }
  int partial_passes() const { return partial_passes_; }
  int64_t expired() const { return expired_; }
  int64_t markers_dropped() const { return markers_dropped_; }

 private:
  int64_t Below(int64_t end) {
    return static_cast<int64_t>(random_() % static_cast<uint64_t>(end));
  }
  bool OneIn(int64_t n) { return Below(n) == 0; }

  int64_t DrawTimestamp() {
    if (OneIn(8)) return kNoTimestamp;
    if (OneIn(8)) return static_cast<int64_t>(random_() >> (2 + Below(60)));
    return 1'700'000'000'000 + Below(100'000);
  }

  OwnedRecord DrawRecord() {
    OwnedRecord record = Put("key " + std::to_string(Below(keys_)),
                             std::to_string(random_()), DrawTimestamp());
    if (OneIn(15)) record.key.reset();
    if (OneIn(4)) record.value.reset();
    while (OneIn(4)) record.headers.emplace_back("name", record.value);
    return record;
  }

  void AppendTransactional(int64_t producer_id) {
    const auto open = open_.find(producer_id);
    if (open != open_.end()) return AppendData(producer_id, open->second);
    const size_t transaction = model_.Begin();
    open_[producer_id] = transaction;
    AppendData(producer_id, transaction);
  }

  void AppendData(int64_t producer_id, std::optional<size_t> transaction) {
    std::vector<OwnedRecord> records(static_cast<size_t>(1 + Below(4)));
    for (OwnedRecord& record : records) record = DrawRecord();
    BatchLog::Shape shape = {
        .compression = static_cast<Compression>(OneIn(2) ? 0 : Below(5)),
        .timestamp_type = OneIn(8) ? TimestampType::kLogAppendTime
                                   : TimestampType::kCreateTime,
        .producer_id = producer_id};
    if (producer_id >= 0) {
      shape.base_sequence = sequences_[producer_id];
      sequences_[producer_id] += static_cast<int32_t>(records.size());
    }
    if (transaction.has_value()) shape.transactional = Transactional::kYes;
    log_.Append(records, shape);
    if (producer_id >= 0) last_offsets_[producer_id] = log_.end() - 1;
    expired_producers_.erase(producer_id);
    Note(Kind::kData, transaction);
  }

  void End(int64_t producer_id) {
    const auto open = open_.find(producer_id);
    if (open == open_.end()) return;
    const size_t transaction = open->second;
    open_.erase(open);
    const bool is_aborted = OneIn(2);
    log_.AppendMarker(producer_id, is_aborted ? ControlRecordType::kAbort
                                              : ControlRecordType::kCommit);
    Note(is_aborted ? Kind::kAbort : Kind::kCommit, transaction);
  }

  // The batch that was appended last becomes known to all.
  void Note(Kind kind, std::optional<size_t> transaction) {
    const RecordBatch batch = log_.batch(log_.batches.size() - 1);
    model_.Append({.kind = kind,
                   .base_offset = batch.base_offset(),
                   .last_offset = batch.last_offset(),
                   .producer_id = batch.producer_id(),
                   .base_sequence = batch.base_sequence(),
                   .transaction = transaction,
                   .compression = batch.compression(),
                   .timestamp_type = batch.timestamp_type(),
                   .max_timestamp_ms = batch.max_timestamp_ms(),
                   .records = RecordsOf(batch, BatchLog::codecs())});
    const auto ended = NoteIn(states_, batch);
    if (ended.has_value() && ended->aborted) {
      log_.aborted.push_back(ended->index_entry());
      model_.Abort(*transaction, ended->index_entry());
    }
  }

  static std::optional<EndedTransaction> NoteIn(ProducerStates& states,
                                                const RecordBatch& batch) {
    const auto read = ProducerBatch::Read(batch);
    EXPECT_THAT(read, IsOk());
    return states.Note(*read, {batch.base_offset(), batch.max_timestamp_ms()});
  }

  // A place between two batches, where everything before it is decided.
  int64_t DrawEnd() {
    const int64_t stable = states_.last_stable_offset(log_.end());
    int64_t end = 0;
    for (const std::string& bytes : log_.batches) {
      const int64_t next = RecordBatch(bytes).next_offset();
      if (next > stable) break;
      if (next <= checkpoint_ || !OneIn(3)) end = next;
    }
    return end;
  }

  void Compact() {
    const int64_t end = DrawEnd();
    if (OneIn(10)) checkpoint_ = 0;
    if (end <= checkpoint_) return;
    now_ms_ += Below(kRetentionMs);
    CompactionRun run = {
        .first_dirty = checkpoint_,
        .end = end,
        .now_ms = now_ms_,
        .delete_retention_ms = kRetentionMs,
        .map_bytes = OneIn(3) ? OffsetMap::kMemoryBytesMin : int64_t{1} << 16,
        .noted_max = OneIn(3) ? 5 : 1 << 16};
    CompactionModel::Pass pass = {.first_dirty = checkpoint_,
                                  .range_end = end,
                                  .now_ms = now_ms_,
                                  .delete_retention_ms = kRetentionMs};
    for (const ProducerEntry& entry : states_.Snapshot(log_.end()).producers) {
      if (OneIn(9)) expired_producers_.insert(entry.producer_id);
      if (expired_producers_.contains(entry.producer_id)) continue;
      run.producers.push_back(entry);
      pass.last_offsets[entry.producer_id] = last_offsets_[entry.producer_id];
    }
    const auto table = model_.Table(end);
    ASSERT_THAT(run.Compact(log_), IsOk());
    pass.map_capacity = run.stats.map_capacity;
    ASSERT_EQ(run.mapped_end, model_.Compact(pass));
    ASSERT_EQ(model_.Table(end), table);
    checkpoint_ = run.mapped_end;
    ++passes_;
    partial_passes_ += run.mapped_end < end ? 1 : 0;
    expired_ += run.stats.cleaning.tombstones_expired;
    markers_dropped_ += run.stats.cleaning.markers_dropped;
    CompareAll();
    CompareProducers(run.producers);
  }

  void CompareAll() const {
    const std::vector<ModelBatch>& expected = model_.batches();
    ASSERT_EQ(log_.batches.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NO_FATAL_FAILURE(Compare(log_.batch(i), expected[i]))
          << "offset " << expected[i].base_offset;
    }
    ASSERT_EQ(log_.aborted, model_.entries());
  }

  static void Compare(const RecordBatch& batch, const ModelBatch& expected) {
    int64_t size = 0;
    ASSERT_EQ(RecordBatch::Check(batch.bytes(), CrcCheck::kVerify,
                                 kBatchSizeMax, &size),
              BatchDefect::kNone);
    ASSERT_EQ(batch.base_offset(), expected.base_offset);
    ASSERT_EQ(batch.last_offset(), expected.last_offset);
    ASSERT_EQ(batch.producer_id(), expected.producer_id);
    ASSERT_EQ(batch.producer_epoch(), expected.producer_id < 0 ? -1 : 0);
    ASSERT_EQ(batch.base_sequence(), expected.base_sequence);
    ASSERT_EQ(batch.leader_epoch(), 3);
    ASSERT_EQ(batch.is_control(), expected.kind != Kind::kData);
    ASSERT_EQ(batch.is_transactional(), expected.transaction.has_value());
    ASSERT_EQ(batch.compression(), expected.compression);
    ASSERT_EQ(batch.timestamp_type(), expected.timestamp_type);
    ASSERT_EQ(batch.max_timestamp_ms(), expected.max_timestamp_ms);
    ASSERT_EQ(batch.has_delete_horizon(), expected.horizon_ms.has_value());
    if (expected.horizon_ms.has_value()) {
      ASSERT_EQ(batch.base_timestamp_ms(), *expected.horizon_ms);
    }
    ASSERT_EQ(RecordsOf(batch, BatchLog::codecs()), expected.records);
  }

  // Who opens the log without anything else learns where the producers are that
  // were known to the compaction.
  void CompareProducers(const std::vector<ProducerEntry>& known) const {
    ProducerStates reopened;
    for (const std::string& bytes : log_.batches) {
      NoteIn(reopened, RecordBatch(bytes));
    }
    for (const ProducerEntry& entry : known) {
      const ProducerState* const state = reopened.Find(entry.producer_id);
      ASSERT_NE(state, nullptr);
      ASSERT_EQ(state->entry().last_sequence, entry.last_sequence);
      ASSERT_EQ(state->entry().last_offset, entry.last_offset);
      ASSERT_EQ(state->entry().producer_epoch, entry.producer_epoch);
    }
  }

  std::mt19937_64 random_;
  const int64_t keys_;
  BatchLog log_;
  CompactionModel model_;
  ProducerStates states_;
  std::map<int64_t, size_t> open_;  // transactions, by producer
  std::map<int64_t, int32_t> sequences_;
  std::map<int64_t, int64_t> last_offsets_;
  std::set<int64_t> expired_producers_;  // and have not appended since
  int64_t checkpoint_ = 0;
  int64_t now_ms_ = 1'000'000;
  int passes_ = 0;
  int partial_passes_ = 0;
  int64_t expired_ = 0;
  int64_t markers_dropped_ = 0;
};

TEST(CompactionModelTest, WhatStaysIsWhatTheModelSays) {
  const uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  int passes = 0;
  int partial_passes = 0;
  int64_t expired = 0;
  int64_t markers_dropped = 0;
  for (uint64_t log = 0; log < 30; ++log) {
    ModelRun run(seed + log);
    for (int step = 0; step < 600; ++step) {
      ASSERT_NO_FATAL_FAILURE(run.Step()) << "log " << log << " step " << step;
    }
    passes += run.passes();
    partial_passes += run.partial_passes();
    expired += run.expired();
    markers_dropped += run.markers_dropped();
  }
  std::cout << passes << " passes, " << partial_passes << " with a full map, "
            << expired << " tombstones and " << markers_dropped
            << " markers expired\n";
  // Enough of each has happened.
  EXPECT_GT(passes, 300);
  EXPECT_GT(partial_passes, 10);
  EXPECT_GT(expired, 100);
  EXPECT_GT(markers_dropped, 200);
}

}  // namespace
}  // namespace varve
