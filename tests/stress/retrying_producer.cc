// SPDX-License-Identifier: Apache-2.0

#include "tests/stress/retrying_producer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "varve/log/batch/encoded_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/partition/append_result.h"
#include "varve/log/producer/producer_position.h"
#include "varve/log/producer/producer_refusal.h"

namespace varve {

RetryingProducer::RetryingProducer(LogStore& store, RetryLedger& ledger,
                                   const Options& options)
    : ledger_(ledger), options_(options), random_(options.seed) {
  for (int i = 0; i < RetryLedger::kPartitions; ++i) {
    auto partition = store.partition("t", i);
    CHECK_OK(partition.status());
    log_starts_.push_back(partition->log_start());
    partitions_.push_back(*std::move(partition));
  }
}

void RetryingProducer::SendAgain() {
  for (int i = 0; i < RetryLedger::kPartitions; ++i) SendAgain(i);
}

void RetryingProducer::SendAgain(int partition) {
  SentBatches& sent = ledger_.sent(options_.number, partition);
  const int32_t count = sent.count;
  if (count == 0) return;
  for (int32_t i = sent.first_retried(); i < count; ++i)
    SendAgain(partition, sent.batches[static_cast<size_t>(i)]);
  const auto position =
      partitions_[static_cast<size_t>(partition)].FindProducer(
          RetryLedger::IdOf(options_.number));
  CHECK_OK(position.status());
  CHECK(position->has_value());
  CHECK_EQ((*position)->next_sequence, sent.next_sequence());
}

void RetryingProducer::SendAgain(int partition, SentBatch& batch) {
  RecordBatchBuilder encoded = RetryLedger::Encode(options_.number, batch);
  const absl::StatusOr<AppendResult> result =
      partitions_[static_cast<size_t>(partition)].Append(encoded.Finish(),
                                                         AnyDurability());
  RetryLedger::Counts& counts = ledger_.counts();
  if (ProducerRefusalOf(result.status()) == ProducerRefusal::kOldSequence) {
    CHECK(MayBeForgotten(partition, batch)) << result.status();
    if (batch.offset == SentBatch::kUnknown)
      batch.offset = SentBatch::kForgotten;
    ++counts.forgotten;
    return;
  }
  CHECK_OK(result.status());
  CHECK_EQ(result->next_offset, result->offset + batch.records);
  if (batch.offset != SentBatch::kUnknown) {
    CHECK(result->is_duplicate)
        << "appended twice: sequence " << batch.first_sequence
        << " of producer " << options_.number;
    if (batch.offset >= 0) CHECK_EQ(result->offset, batch.offset.load());
    ++counts.known;
  } else {
    ++(result->is_duplicate ? counts.stored : counts.appended);
  }
  batch.offset = result->offset;
}

bool RetryingProducer::MayBeForgotten(int partition,
                                      const SentBatch& batch) const {
  const SentBatches& sent = ledger_.sent(options_.number, partition);
  if (options_.is_compacted)
    return batch.next_sequence() < sent.next_sequence();
  if (options_.life - sent.last_life > kLivesRemembered) return true;
  const int64_t log_start = log_starts_[static_cast<size_t>(partition)];
  // What was sent after a batch that is there is there, too.
  for (int32_t i = sent.first_retried(); i < sent.count; ++i) {
    const SentBatch& earlier = sent.batches[static_cast<size_t>(i)];
    if (earlier.offset >= log_start) return false;
    if (&earlier == &batch) break;
  }
  return log_start > 0;
}

void RetryingProducer::SendNew(int64_t bytes) {
  std::array<int64_t, RetryLedger::kPartitions> left;
  left.fill(bytes);
  while (*std::max_element(left.begin(), left.end()) > 0) {
    const auto i = static_cast<size_t>(random_() % left.size());
    SentBatches& sent = ledger_.sent(options_.number, static_cast<int>(i));
    if (sent.count == SentBatches::kMax) return;
    if (left[i] > 0) left[i] -= SendNew(static_cast<int>(i), sent);
    if (options_.trims && random_() % 100 == 0) {
      const int64_t end = partitions_[i].visible_end();
      const auto kept = static_cast<int64_t>(random_() % 1000);
      CHECK_OK(partitions_[i].TrimBefore(std::max(int64_t{0}, end - kept)));
    }
  }
}

int64_t RetryingProducer::SendNew(int partition, SentBatches& sent) {
  AwaitRoom(sent);
  const int32_t number = sent.count;
  SentBatch& batch = sent.batches[static_cast<size_t>(number)];
  batch.first_sequence = sent.next_sequence();
  batch.records =
      1 + static_cast<int32_t>(random_() % 20 / (random_() % 9 + 1));
  sent.last_life = options_.life;
  sent.count.store(number + 1, std::memory_order_release);

  const auto note = [&batch](const absl::StatusOr<AppendResult>& result) {
    CHECK_OK(result.status());
    CHECK(!result->is_duplicate) << "never sent before";
    batch.offset = result->offset;
  };
  RecordBatchBuilder builder = RetryLedger::Encode(options_.number, batch);
  const EncodedBatch encoded = builder.Finish();
  Partition& to = partitions_[static_cast<size_t>(partition)];
  if (random_() % 3 == 0) {
    CHECK_OK(to.AppendAsync(encoded, note).status());
  } else {
    note(to.Append(encoded, AnyDurability()));
  }
  return encoded.size_bytes();
}

void RetryingProducer::AwaitRoom(const SentBatches& sent) const {
  while (sent.in_flight() >= SentBatches::kInFlightMax)
    absl::SleepFor(absl::Microseconds(20));
}

Durability RetryingProducer::AnyDurability() {
  return random_() % 30 == 0 ? Durability::kSynced : Durability::kMemory;
}

}  // namespace varve
