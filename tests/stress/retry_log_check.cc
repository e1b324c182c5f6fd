// SPDX-License-Identifier: Apache-2.0

#include "tests/stress/retry_log_check.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status_matchers.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/read_options.h"

namespace varve {

void RetryLogCheck::ReadOn(const Partition& partition) {
  if (next_offset_ < partition.log_start()) {
    next_offset_ = partition.log_start();
    next_.fill(std::nullopt);
  }
  while (next_offset_ < partition.visible_end()) {
    const auto view =
        partition.Read(next_offset_, {.level = ReadLevel::kVisible});
    ASSERT_THAT(view, absl_testing::IsOk());
    RecordBatches::Records records = view->records();
    while (const RecordView* record = records.Next()) {
      ASSERT_NO_FATAL_FAILURE(See(*record));
    }
    ASSERT_THAT(records.status(), absl_testing::IsOk());
  }
}

void RetryLogCheck::See(const RecordView& record) {
  ASSERT_EQ(record.offset(), next_offset_);
  ++next_offset_;
  const std::string_view value = record.value().value_or("");
  const std::vector<std::string_view> parts = absl::StrSplit(value, ':');
  int64_t id = 0;
  ASSERT_TRUE(parts.size() == 2 && absl::SimpleAtoi(parts[0], &id)) << value;
  const auto producer = static_cast<int>(id - RetryLedger::IdOf(0));
  ASSERT_TRUE(producer >= 0 && producer < RetryLedger::kProducers) << value;
  std::optional<Next>& next = next_[static_cast<size_t>(producer)];
  if (!next.has_value()) {
    int32_t sequence = 0;
    const std::string_view digits =
        parts[1].substr(0, parts[1].find_first_not_of("0123456789"));
    ASSERT_TRUE(absl::SimpleAtoi(digits, &sequence)) << value;
    next = Find(producer, sequence);
  }
  SentBatches& sent = ledger_.sent(producer, partition_);
  ASSERT_LT(next->batch, sent.count.load()) << value << " was not sent";
  const SentBatch& batch = sent.batches[static_cast<size_t>(next->batch)];
  ASSERT_EQ(value, absl::StrCat(id, ":", batch.first_sequence + next->record,
                                RetryLedger::TextOf(batch)))
      << "at offset " << record.offset();
  if (batch.offset >= 0) {
    ASSERT_EQ(record.offset(), batch.offset + next->record) << value;
  }
  if (++next->record == batch.records) *next = {.batch = next->batch + 1};
}

RetryLogCheck::Next RetryLogCheck::Find(int producer, int32_t sequence) const {
  const SentBatches& sent = ledger_.sent(producer, partition_);
  const auto end = sent.batches.begin() + sent.count.load();
  const auto after =
      std::upper_bound(sent.batches.begin(), end, sequence,
                       [](int32_t wanted, const SentBatch& batch) {
                         return wanted < batch.next_sequence();
                       });
  return {.batch = static_cast<int32_t>(after - sent.batches.begin()),
          .record = after == end ? 0 : sequence - after->first_sequence};
}

void RetryLogCheck::CheckComplete(const Partition& partition) {
  ReadOn(partition);
  for (int i = 0; i < RetryLedger::kProducers; ++i) {
    const SentBatches& sent = ledger_.sent(i, partition_);
    const std::optional<Next>& next = next_[static_cast<size_t>(i)];
    EXPECT_EQ(sent.in_flight(), 0);
    if (next.has_value()) {
      EXPECT_EQ(next->batch, sent.count) << "of producer " << i;
    } else if (sent.count > 0) {
      const auto last = static_cast<size_t>(sent.count - 1);
      EXPECT_LT(sent.batches[last].offset, partition.log_start());
    }
  }
}

}  // namespace varve
