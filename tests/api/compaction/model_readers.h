// SPDX-License-Identifier: Apache-2.0

#ifndef VARVE_TESTS_API_COMPACTION_MODEL_READERS_H_
#define VARVE_TESTS_API_COMPACTION_MODEL_READERS_H_

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/api/compaction/model_batches.h"
#include "tests/fixture/partition_fixture.h"
#include "tests/log/compaction/compaction_model.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/read_only_partition.h"
#include "varve/api/read_only_store.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/read_options.h"

namespace varve {

// A reader in the process that writes: it sees the log as it is, and what it
// has seen stays as it was for as long as it keeps the view.
class WriterSideReader {
 public:
  void Read(const Partition& partition, const CompactionModel& log,
            int64_t max_bytes) {
    const auto view = partition.Read(
        at_, {.max_bytes = max_bytes, .level = ReadLevel::kVisible});
    if (at_ < partition.log_start()) {
      ASSERT_EQ(view.status().code(), absl::StatusCode::kOutOfRange);
      at_ = partition.log_start();
      return;
    }
    ASSERT_THAT(view, absl_testing::IsOk());
    std::vector<std::string> texts;
    for (const RecordBatch batch : *view) texts.push_back(TextOf(batch));
    std::vector<std::string> expected = TextsFrom(log.batches(), at_);
    ASSERT_EQ(expected.empty() || view->next_offset() == at_, texts.empty())
        << at_;
    expected.resize(std::min(expected.size(), texts.size()));
    ASSERT_EQ(texts, expected) << "from offset " << at_;
    ASSERT_GE(view->next_offset(), at_);
    at_ = view->next_offset() == at_ ? partition.log_start()
                                     : view->next_offset();
    views_.emplace_back(*view, std::string(view->bytes()));
    if (views_.size() <= kViewsMax) return;
    ASSERT_EQ(views_.front().first.bytes(), views_.front().second);
    views_.pop_front();
  }

 private:
  static constexpr size_t kViewsMax = 5;

  int64_t at_ = 0;
  std::deque<std::pair<RecordBatches, std::string>> views_;
};

// A reader of another process: it may see an older state of a segment, with
// records that are gone meanwhile, but none that never was, and all that have
// to be there.
class Follower {
 public:
  void Open(const std::string& path) {
    ReadOnlyOptions options;
    options.environment.clock = clock_.get();
    auto store = LogStore::OpenReadOnly(path, options);
    ASSERT_THAT(store, absl_testing::IsOk());
    store_ = *std::move(store);
    auto partition = store_->partition("t", 0);
    ASSERT_THAT(partition, absl_testing::IsOk());
    partition_ = *std::move(partition);
  }

  const ReadOnlyPartition& partition() const { return partition_; }

  // `appended`: all records that ever were, as text, by offset.
  void Read(const CompactionModel& log, int64_t log_start, int64_t log_end,
            const std::map<int64_t, std::string>& appended, int64_t max_bytes) {
    const ReadOptions options = {.max_bytes = max_bytes,
                                 .decompression = Decompression::kLeave};
    auto view = partition_.Read(at_, options);
    if (view.ok() && view->empty() && view->next_offset() < log_end) {
      // It trusts what it knows of the directory for a while.
      clock_->Advance(absl::Seconds(1));
      view = partition_.Read(at_, options);
    }
    if (at_ < log_start && absl::IsOutOfRange(view.status())) {
      at_ = log_start;
      return;
    }
    ASSERT_THAT(view, absl_testing::IsOk()) << at_;
    std::set<int64_t> seen;
    int64_t last = at_ - 1;
    for (const RecordBatch batch : *view) {
      for (const PlacedRecord& record : RecordsOf(batch, BatchLog::codecs())) {
        if (record.first < at_) continue;
        ASSERT_GT(record.first, last);
        last = record.first;
        ASSERT_EQ(appended.at(last), TextOf(record));
        seen.insert(last);
      }
    }
    const int64_t next = view->next_offset();
    for (const ModelBatch& batch : log.batches()) {
      for (const PlacedRecord& record : batch.records) {
        if (record.first < std::max(at_, log_start) || record.first >= next)
          continue;
        ASSERT_TRUE(seen.contains(record.first)) << TextOf(record);
      }
    }
    ASSERT_LT(last, std::max(next, at_ + 1));
    // All that is there was seen.
    ASSERT_TRUE(next > at_ || at_ >= log_end) << at_;
    at_ = next == at_ ? log_start : next;
  }

 private:
  std::unique_ptr<ManualClock> clock_ = std::make_unique<ManualClock>();
  std::unique_ptr<ReadOnlyStore> store_;
  ReadOnlyPartition partition_;
  int64_t at_ = 0;
};

}  // namespace varve

#endif  // VARVE_TESTS_API_COMPACTION_MODEL_READERS_H_
