// SPDX-License-Identifier: Apache-2.0

#include "tests/stress/compacted_log_check.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status_matchers.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/producer_client.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/read_options.h"

namespace varve {
namespace {

ProducerClient ClientOf(int producer) {
  return {.id = RetryLedger::IdOf(producer), .keys = RetryLedger::kKeys};
}

}  // namespace

void CompactedLogCheck::Read(const Partition& partition) {
  for (int64_t at = partition.log_start(); at < partition.visible_end();) {
    const auto view = partition.Read(at, {.level = ReadLevel::kVisible});
    ASSERT_THAT(view, absl_testing::IsOk());
    RecordBatches::Records records = view->records();
    while (const RecordView* record = records.Next()) {
      ASSERT_NO_FATAL_FAILURE(See(*record));
    }
    ASSERT_THAT(records.status(), absl_testing::IsOk());
    ASSERT_GT(view->next_offset(), at);
    at = view->next_offset();
  }
  for (int i = 0; i < RetryLedger::kProducers; ++i) CheckLatest(i);
}

void CompactedLogCheck::See(const RecordView& record) {
  ASSERT_GT(record.offset(), last_offset_);
  gone_ += record.offset() - last_offset_ - 1;
  last_offset_ = record.offset();
  const std::string_view value = record.value().value_or("");
  const std::vector<std::string_view> parts = absl::StrSplit(value, ':');
  int64_t id = 0;
  int32_t sequence = 0;
  ASSERT_TRUE(parts.size() == 2 && absl::SimpleAtoi(parts[0], &id) &&
              absl::SimpleAtoi(
                  parts[1].substr(0, parts[1].find_first_not_of("0123456789")),
                  &sequence))
      << value;
  const auto producer = static_cast<int>(id - RetryLedger::IdOf(0));
  ASSERT_TRUE(producer >= 0 && producer < RetryLedger::kProducers) << value;
  const SentBatches& sent = ledger_.sent(producer, partition_);
  const auto end = sent.batches.begin() + sent.count.load();
  const auto batch =
      std::upper_bound(sent.batches.begin(), end, sequence,
                       [](int32_t wanted, const SentBatch& each) {
                         return wanted < each.next_sequence();
                       });
  ASSERT_NE(batch, end) << value << " was not sent";
  ASSERT_EQ(value,
            absl::StrCat(id, ":", sequence, RetryLedger::TextOf(*batch)));
  ASSERT_EQ(record.key(), ClientOf(producer).Key(sequence)) << value;
  if (batch->offset >= 0) {
    ASSERT_EQ(record.offset(), batch->offset + sequence - batch->first_sequence)
        << value;
  }
  latest_[std::string(*record.key())] = sequence;
}

void CompactedLogCheck::CheckLatest(int producer) const {
  std::map<std::string, int32_t> acknowledged;
  const SentBatches& sent = ledger_.sent(producer, partition_);
  for (int32_t i = 0; i < sent.count; ++i) {
    const SentBatch& batch = sent.batches[static_cast<size_t>(i)];
    if (batch.offset < 0) continue;
    for (int32_t j = 0; j < batch.records; ++j) {
      const int32_t sequence = batch.first_sequence + j;
      acknowledged[*ClientOf(producer).Key(sequence)] = sequence;
    }
  }
  for (const auto& [key, sequence] : acknowledged) {
    const auto found = latest_.find(key);
    ASSERT_NE(found, latest_.end()) << key << " is lost";
    ASSERT_GE(found->second, sequence) << key;
  }
}

}  // namespace varve
