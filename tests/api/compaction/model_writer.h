// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_API_COMPACTION_MODEL_WRITER_H_
#define VARVE_TESTS_API_COMPACTION_MODEL_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/api/compaction/compacted_store.h"
#include "tests/api/compaction/model_batches.h"
#include "tests/api/compaction/possible_logs.h"
#include "tests/fixture/random_records.h"
#include "tests/log/compaction/batch_log.h"
#include "tests/log/compaction/compaction_model.h"
#include "varve/api/partition.h"
#include "varve/log/batch/control_record.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"

namespace varve {

// Random numbers.
class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(seed) {}
  uint64_t Draw() { return random_(); }
  int64_t Below(int64_t end) {
    return static_cast<int64_t>(random_() % static_cast<uint64_t>(end));
  }
  bool OneIn(int64_t n) { return Below(n) == 0; }

 private:
  std::mt19937_64 random_;
};

// Appends random batches to the store and to the model: of producers without an
// id, of idempotent ones, and of transactions.
class ModelWriter {
 public:
  // `keys`: how many different ones there are.
  ModelWriter(CompactedStore& store, Dice& dice, int64_t keys)
      : store_(store), dice_(dice), keys_(keys) {}

  // `producer_id`: -1 for none.
  void AppendPlain(int64_t producer_id) {
    AppendData(producer_id, std::nullopt);
  }
  bool HasTransaction(int64_t producer_id) {
    return producers_[producer_id].transaction.has_value();
  }

  // Begins a transaction, or goes on with it.
  void AppendTransactional(int64_t producer_id) {
    Producer& producer = producers_[producer_id];
    if (!producer.transaction.has_value()) {
      producer.transaction = logs_.Begin();
      ASSERT_EQ(history_.Begin(), *producer.transaction);
    }
    AppendData(producer_id, producer.transaction);
  }

  void EndTransaction(int64_t producer_id) {
    Producer& producer = producers_[producer_id];
    if (!producer.transaction.has_value()) return;
    const size_t transaction = *producer.transaction;
    producer.transaction.reset();
    const bool is_aborted = dice_.OneIn(2);
    RecordBatchBuilder builder({.producer_id = producer_id,
                                .producer_epoch = 0,
                                .transactional = Transactional::kYes,
                                .kind = BatchKind::kControl});
    const ControlRecordKey key(is_aborted ? ControlRecordType::kAbort
                                          : ControlRecordType::kCommit);
    const EndTransactionValue value(7);
    ASSERT_THAT(builder.Append({.key = key.bytes(), .value = value.bytes()},
                               store_.now_ms()),
                absl_testing::IsOk());
    Append(builder.Finish(),
           is_aborted ? ModelBatch::Kind::kAbort : ModelBatch::Kind::kCommit,
           transaction);
    if (!is_aborted) return;
    logs_.Abort(transaction, {.producer_id = producer_id});
    history_.Abort(transaction, {.producer_id = producer_id});
  }

  void EndAllTransactions() {
    for (const auto& [id, producer] : producers_)
      ASSERT_NO_FATAL_FAILURE(EndTransaction(id));
  }

  // The last batch of an idempotent producer is still known to be that, whether
  // or not compaction has left something of it. Returns whether there was one.
  bool Retry(int64_t producer_id, int64_t log_start) {
    const Producer& producer = producers_[producer_id];
    if (producer.last_base_offset < log_start) return false;
    const auto batch = EncodedBatch::Parse(producer.last_batch);
    EXPECT_THAT(batch, absl_testing::IsOk());
    const auto result = store_.partition().Append(*batch, Durability::kMemory);
    EXPECT_THAT(result, absl_testing::IsOk());
    EXPECT_TRUE(result->is_duplicate);
    EXPECT_EQ(result->offset, producer.last_base_offset);
    return true;
  }

  PossibleLogs& logs() { return logs_; }
  // All that was ever appended, and its records as text, by offset.
  const CompactionModel& history() const { return history_; }
  const std::map<int64_t, std::string>& appended() const { return appended_; }
  int64_t end() const { return end_; }

  // The last offset of each producer that the store knows.
  std::map<int64_t, int64_t> LastOffsets() const {
    std::map<int64_t, int64_t> offsets;
    for (const auto& [id, producer] : producers_) {
      const auto known = store_.partition().FindProducer(id);
      EXPECT_THAT(known, absl_testing::IsOk());
      if (known->has_value()) offsets[id] = (*known)->last_offset;
    }
    return offsets;
  }

 private:
  struct Producer {
    int32_t next_sequence = 0;
    std::optional<size_t> transaction = std::nullopt;
    std::string last_batch = {};  // as it was appended
    int64_t last_base_offset = -1;
  };

  OwnedRecord DrawRecord() {
    OwnedRecord record = Put(
        absl::StrCat("key ", dice_.Below(keys_)),
        absl::StrCat(
            dice_.Draw(),
            std::string(static_cast<size_t>(dice_.OneIn(9) ? dice_.Below(300)
                                                           : dice_.Below(30)),
                        '*')),
        store_.now_ms() - dice_.Below(50));
    if (dice_.OneIn(25)) record.key.reset();
    if (dice_.OneIn(5)) record.value.reset();
    return record;
  }

  void AppendData(int64_t producer_id, std::optional<size_t> transaction) {
    BatchOptions options;
    if (producer_id >= 0) {
      options.producer_id = producer_id;
      options.producer_epoch = 0;
      options.base_sequence = producers_[producer_id].next_sequence;
    }
    if (transaction.has_value()) options.transactional = Transactional::kYes;
    RecordBatchBuilder builder(options);
    std::vector<Header> headers;
    const int64_t count = dice_.OneIn(3) ? 1 + dice_.Below(4) : 1;
    for (int64_t i = 0; i < count; ++i) {
      const OwnedRecord record = DrawRecord();
      ASSERT_THAT(builder.Append(record.View(&headers), record.timestamp_ms),
                  absl_testing::IsOk());
    }
    if (dice_.OneIn(4)) {
      const auto codec = static_cast<Compression>(1 + dice_.Below(4));
      const auto batch =
          builder.FinishCompressed(*BatchLog::codecs()->Find(codec));
      ASSERT_THAT(batch, absl_testing::IsOk());
      return Append(*batch, ModelBatch::Kind::kData, transaction);
    }
    Append(builder.Finish(), ModelBatch::Kind::kData, transaction);
  }

  void Append(const EncodedBatch& batch, ModelBatch::Kind kind,
              std::optional<size_t> transaction) {
    const auto result = store_.partition().Append(
        batch, dice_.OneIn(20) ? Durability::kSynced : Durability::kMemory);
    ASSERT_THAT(result, absl_testing::IsOk());
    ASSERT_FALSE(result->is_duplicate);
    ASSERT_EQ(result->offset, end_);
    const ModelBatch appended =
        ModelBatchOf(batch.batch(), end_, kind, transaction);
    logs_.Append(appended);
    history_.Append(appended);
    for (const PlacedRecord& record : appended.records)
      appended_[record.first] = TextOf(record);
    end_ = appended.last_offset + 1;
    if (appended.producer_id < 0 || kind != ModelBatch::Kind::kData) return;
    Producer& producer = producers_[appended.producer_id];
    producer.next_sequence += static_cast<int32_t>(appended.records.size());
    producer.last_batch = std::string(batch.bytes());
    producer.last_base_offset = appended.base_offset;
  }

  CompactedStore& store_;
  Dice& dice_;
  const int64_t keys_;
  PossibleLogs logs_;
  CompactionModel history_;
  std::map<int64_t, std::string> appended_;
  std::map<int64_t, Producer> producers_;
  int64_t end_ = 0;
};

}  // namespace varve

#endif  // VARVE_TESTS_API_COMPACTION_MODEL_WRITER_H_
