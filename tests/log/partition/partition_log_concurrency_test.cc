// SPDX-License-Identifier: Apache-2.0

// Appenders, readers that follow the end, and a syncer on one log of small
// segments, with a Close at the end. Run it under TSan, too.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/partition_fixture.h"
#include "varve/log/batch/record.h"
#include "varve/log/batch/record_batch.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/partition/partition_log.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;

constexpr int kProducers = 3;
constexpr int kReaders = 2;
constexpr int64_t kRecordsEach = 4000;
constexpr int64_t kTotal = kProducers * kRecordsEach;

// A record's value, "<producer> <sequence>".
struct Entry {
  int64_t producer = -1;
  int64_t sequence = -1;

  std::string ToString() const { return absl::StrCat(producer, " ", sequence); }
  static Entry Parse(std::string_view text) {
    Entry entry;
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(text, absl::MaxSplits(' ', 1));
    EXPECT_TRUE(absl::SimpleAtoi(parts.first, &entry.producer));
    EXPECT_TRUE(absl::SimpleAtoi(parts.second, &entry.sequence));
    return entry;
  }
};

// Checks that records come once each, in the order of their offsets, and those
// of each producer in its order.
class OrderChecker {
 public:
  void See(const RecordView& record) {
    ASSERT_EQ(record.offset(), next_offset_);
    ++next_offset_;
    const Entry entry = Entry::Parse(record.value().value_or(""));
    ASSERT_EQ(entry.sequence, next_sequence_[entry.producer]);
    ++next_sequence_[entry.producer];
  }
  int64_t next_offset() const { return next_offset_; }

 private:
  int64_t next_offset_ = 0;
  std::map<int64_t, int64_t> next_sequence_;
};

class PartitionLogConcurrencyTest : public PartitionFixture {
 protected:
  PartitionLogConcurrencyTest() {
    config_.segment_bytes = 1024;
    config_.index_interval_bytes = 200;
    // The interval is short, so that interval appends wait now and then.
    sync_interval_ = absl::Milliseconds(20);
  }

  // Appends records one by one and in batches, at every level.
  void Produce(int64_t producer) {
    RecordBatchBuilder builder;
    for (int64_t sequence = 0; sequence < kRecordsEach;) {
      const int64_t count =
          std::min<int64_t>(1 + sequence % 4, kRecordsEach - sequence);
      builder.Clear();
      for (int64_t i = 0; i < count; ++i) {
        const std::string value = Entry{producer, sequence + i}.ToString();
        ASSERT_THAT(builder.Append({.value = value}, int64_t{1}), IsOk());
      }
      const auto result = log_->Append(builder.Finish(), LevelFor(sequence));
      ASSERT_THAT(result, IsOk());
      // What was appended is visible to the appender.
      ASSERT_GE(log_->visible_end(), result->offset + count);
      acknowledged_[producer].emplace_back(result->offset, sequence);
      sequence += count;
    }
  }
  static Durability LevelFor(int64_t sequence) {
    if (sequence % 97 == 0) return Durability::kSynced;
    return sequence % 2 == 0 ? Durability::kInterval : Durability::kMemory;
  }

  // Reads to the end as it is, without a wait, then waits for more.
  void Follow() {
    OrderChecker checker;
    while (checker.next_offset() < kTotal) {
      const auto view = log_->Read(checker.next_offset(), {.max_bytes = 2000});
      ASSERT_THAT(view, IsOk());
      ASSERT_LE(log_->durable_end(), log_->visible_end());
      if (view->empty()) {
        ASSERT_THAT(log_->WaitFor(checker.next_offset(), Patience()), IsOk());
        continue;
      }
      RecordBatches::Records records = view->records();
      while (const RecordView* record = records.Next()) checker.See(*record);
      ASSERT_THAT(records.status(), IsOk());
      ASSERT_EQ(checker.next_offset(), view->next_offset());
      // No reader is shown more than the log has published.
      ASSERT_LE(view->next_offset(), log_->visible_end());
    }
    ++readers_at_the_end_;
    EXPECT_THAT(log_->WaitFor(kTotal, Patience()), StatusIs(kCancelled));
  }
  static absl::Time Patience() { return absl::Now() + absl::Minutes(2); }
  static constexpr auto kCancelled = absl::StatusCode::kCancelled;

  void SyncUntilStopped() {
    while (!stopped_) {
      ASSERT_THAT(log_->Sync(), IsOk());
      clock_.Advance(absl::Milliseconds(5));
      std::this_thread::yield();
    }
  }

  std::vector<std::vector<std::pair<int64_t, int64_t>>> acknowledged_ =
      std::vector<std::vector<std::pair<int64_t, int64_t>>>(kProducers);
  std::atomic<int> readers_at_the_end_ = 0;
  std::atomic<bool> stopped_ = false;
};

TEST_F(PartitionLogConcurrencyTest, EveryReaderSeesEveryRecordOnceAndInOrder) {
  Recover();
  std::vector<std::thread> readers;
  std::vector<std::thread> producers;
  for (int i = 0; i < kReaders; ++i) readers.emplace_back([&] { Follow(); });
  for (int i = 0; i < kProducers; ++i) {
    producers.emplace_back([this, i] { Produce(i); });
  }
  std::thread syncer([&] { SyncUntilStopped(); });
  for (std::thread& producer : producers) producer.join();
  EXPECT_EQ(log_->visible_end(), kTotal);
  EXPECT_GT(log_->segment_count(), 300);
  // Close the log once the readers wait for more than there is.
  const absl::Time give_up = Patience();
  while (readers_at_the_end_ < kReaders && absl::Now() < give_up) {
    absl::SleepFor(absl::Milliseconds(1));
  }
  stopped_ = true;
  syncer.join();
  EXPECT_THAT(log_->Close(), IsOk());
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(log_->durable_end(), kTotal);
  CloseCleanly();

  OpenClean();
  const Contents contents = ReadAll();
  ASSERT_EQ(static_cast<int64_t>(contents.size()), kTotal);
  for (int64_t producer = 0; producer < kProducers; ++producer) {
    for (const auto& [offset, sequence] : acknowledged_[producer]) {
      ASSERT_EQ(contents.at(offset), (Entry{producer, sequence}.ToString()));
    }
  }
}

// A segment shows a batch a moment before the log does; a reader that never
// waits would see it, and get OutOfRange for its next read.
TEST_F(PartitionLogConcurrencyTest, ReaderThatSpinsIsShownNoMoreThanTheEnd) {
  config_.segment_bytes = 1 << 20;
  Recover();
  constexpr int64_t kCount = 100000;
  std::thread reader([&] {
    for (int64_t next = 0; next < kCount;) {
      const auto view = log_->Read(next, {.crc = CrcCheck::kSkip});
      ASSERT_THAT(view, IsOk());
      next = view->next_offset();
    }
  });
  for (int64_t i = 0; i < kCount; ++i) Append("value");
  reader.join();
}

TEST_F(PartitionLogConcurrencyTest, CloseAmongAppendsLosesNoneThatWasTaken) {
  for (int round = 0; round < 20; ++round) {
    Recover();
    const int64_t begin = log_->visible_end();
    std::atomic<int64_t> taken = 0;
    std::vector<std::thread> producers;
    for (int i = 0; i < kProducers; ++i) {
      producers.emplace_back([&, i] {
        const auto level = i == 0 ? Durability::kSynced : Durability::kMemory;
        absl::StatusOr<AppendResult> result;
        while ((result = TryAppend("value", level)).ok()) ++taken;
        EXPECT_THAT(result, StatusIs(absl::StatusCode::kFailedPrecondition));
      });
    }
    while (taken < 50) std::this_thread::yield();
    EXPECT_THAT(log_->Close(), IsOk());
    for (std::thread& producer : producers) producer.join();
    EXPECT_EQ(log_->visible_end(), begin + taken);
    EXPECT_EQ(log_->durable_end(), begin + taken);
    CloseCleanly();
    OpenClean();
    EXPECT_EQ(static_cast<int64_t>(ReadAll().size()), begin + taken);
  }
}

}  // namespace
}  // namespace varve
