// SPDX-License-Identifier: Apache-2.0

// Appenders, readers, waiters and administrators on one store, all at once, and
// Close in the middle of it. What each reader saw is checked record by record,
// and after every reopen the log holds what was acknowledged, and nothing else.
// Waits have no deadline, and a watchdog looks after them: no wake-up is lost.
//
// VARVE_STRESS_ROUNDS says how often the store is opened and closed.

#include <stdlib.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "api/log_store.h"
#include "api/partition.h"
#include "api/topic_config.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "log/durability.h"
#include "log/record_batch_builder.h"
#include "log/record_batches.h"
#include "tests/scratch_directory.h"
#include "tests/watchdog.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int kRoundsByDefault = 2;
constexpr int64_t kRecordsPerRound = 3000;
constexpr int64_t kExchanges = 1000;
#else
constexpr int kRoundsByDefault = 5;
constexpr int64_t kRecordsPerRound = 10000;
constexpr int64_t kExchanges = 10000;
#endif
constexpr int kPartitions = 3;
constexpr int kAppenders = 4;
constexpr int kReadersEach = 2;  // of each partition
constexpr int kWaiters = 3;

int RoundCount() {
  const char* text = getenv("VARVE_STRESS_ROUNDS");
  int count = kRoundsByDefault;
  return text == nullptr || absl::SimpleAtoi(text, &count) ? count : 0;
}

// What an appender has put into a partition, and in which order. Its value is
// "<appender> <sequence> <filling>", where the filling follows from the two.
struct Entry {
  int appender = -1;
  int64_t sequence = -1;

  std::string ToValue() const {
    const auto size = static_cast<size_t>((appender * 7 + sequence * 13) % 300);
    const auto letter = static_cast<char>('a' + sequence % 26);
    return absl::StrCat(appender, " ", sequence, " ",
                        std::string(size, letter));
  }
  static Entry Parse(std::string_view value) {
    Entry entry;
    const std::vector<std::string_view> parts = absl::StrSplit(value, ' ');
    EXPECT_EQ(parts.size(), 3) << value;
    if (parts.size() != 3) return entry;
    EXPECT_TRUE(absl::SimpleAtoi(parts[0], &entry.appender)) << value;
    EXPECT_TRUE(absl::SimpleAtoi(parts[1], &entry.sequence)) << value;
    EXPECT_EQ(value, entry.ToValue());
    return entry;
  }
  friend bool operator==(const Entry&, const Entry&) = default;
};

// Checks that a partition's records come once each, in order and unchanged.
class History {
 public:
  explicit History(int64_t first_offset) : next_offset_(first_offset) {}

  void See(const RecordView& record) {
    ASSERT_EQ(record.offset(), next_offset_);
    ++next_offset_;
    const Entry entry = Entry::Parse(record.value().value_or(""));
    const auto [last, is_first] =
        last_sequence_.try_emplace(entry.appender, entry.sequence);
    if (is_first) return;
    ASSERT_EQ(entry.sequence, last->second + 1)
        << "appender " << entry.appender << ", offset " << record.offset();
    last->second = entry.sequence;
  }
  int64_t next_offset() const { return next_offset_; }

 private:
  int64_t next_offset_;
  std::map<int, int64_t> last_sequence_;  // by appender
};

class StoreStressTest : public testing::Test {
 protected:
  struct PerPartition {
    absl::Mutex mu;
    // What was acknowledged, by offset.
    std::map<int64_t, Entry> acknowledged ABSL_GUARDED_BY(mu);
    // The next sequence of each appender; its own.
    std::array<int64_t, kAppenders> next_sequence = {};
    // How far each reader is; trims stay behind them.
    std::array<std::atomic<int64_t>, kReadersEach> read_to = {};
  };

  void Open() {
    auto store = LogStore::Open(scratch_.path(),
                                {.sync_interval = absl::Milliseconds(20)});
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
  }

  Partition PartitionAt(int index) {
    auto partition = store_->partition("stress", index);
    CHECK_OK(partition.status());
    return *std::move(partition);
  }

  // Whether a call on an open store succeeded. One that failed because the
  // store is being closed did so rightly; any other did not.
  bool Succeeded(const absl::Status& status) {
    if (status.ok()) return true;
    EXPECT_TRUE(closing_ && (absl::IsFailedPrecondition(status) ||
                             absl::IsCancelled(status)))
        << status;
    return false;
  }

  void Append(int appender, int seed) {
    std::minstd_rand random(static_cast<unsigned>(seed + appender));
    RecordBatchBuilder builder;
    while (true) {
      const int index = static_cast<int>(random() % kPartitions);
      PerPartition& part = parts_[static_cast<size_t>(index)];
      int64_t& next = part.next_sequence[static_cast<size_t>(appender)];
      const int64_t count = random() % 3 == 0 ? 1 + random() % 9 : 1;
      builder.Clear();
      for (int64_t i = 0; i < count; ++i) {
        const std::string value = Entry{appender, next + i}.ToValue();
        ASSERT_THAT(builder.Append({.value = value}, absl::Now()), IsOk());
      }
      Partition partition = partitions_[static_cast<size_t>(index)];
      const std::string alone = Entry{appender, next}.ToValue();
      const absl::StatusOr<AppendResult> result =
          count == 1 ? partition.Append({.value = alone}, LevelOf(random()))
                     : partition.Append(builder.Finish(), LevelOf(random()));
      if (!Succeeded(result.status())) return;
      // What was appended is there for who appended it.
      ASSERT_GE(partition.visible_end(), result->offset + count);
      const absl::MutexLock lock(&part.mu);
      for (int64_t i = 0; i < count; ++i) {
        const bool is_new =
            part.acknowledged
                .emplace(result->offset + i, Entry{appender, next + i})
                .second;
        ASSERT_TRUE(is_new) << "offset " << result->offset + i << " twice";
      }
      next += count;
      appended_ += count;
    }
  }
  static Durability LevelOf(uint64_t random) {
    if (random % 50 == 0) return Durability::kSynced;
    return random % 2 == 0 ? Durability::kInterval : Durability::kMemory;
  }

  // Follows the partition from its start, and waits at its end.
  void Follow(int index, int reader, int64_t first_offset) {
    const Partition partition = partitions_[static_cast<size_t>(index)];
    std::atomic<int64_t>& read_to =
        parts_[static_cast<size_t>(index)].read_to[static_cast<size_t>(reader)];
    History history(first_offset);
    std::minstd_rand random(static_cast<unsigned>(index * 8 + reader));
    while (!HasFatalFailure()) {
      const absl::StatusOr<RecordBatches> view =
          partition.Read(history.next_offset(),
                         {.max_bytes = static_cast<int64_t>(random() % 5000),
                          .level = ReadLevel::kVisible});
      if (!Succeeded(view.status())) return;
      RecordBatches::Records records = view->records();
      while (const RecordView* record = records.Next()) history.See(*record);
      ASSERT_THAT(records.status(), IsOk());
      ASSERT_EQ(history.next_offset(), view->next_offset());
      read_to = history.next_offset();
      if (!view->empty()) continue;
      const absl::Status waited = partition.WaitFor(history.next_offset());
      if (!Succeeded(waited)) return;
      ASSERT_GT(partition.visible_end(), history.next_offset());
    }
  }

  // Waits for what is not there yet, again and again.
  void Wait(int waiter) {
    std::minstd_rand random(static_cast<unsigned>(waiter));
    while (true) {
      const Partition partition = partitions_[random() % kPartitions];
      const int64_t offset =
          partition.visible_end() + static_cast<int64_t>(random() % 4);
      const bool durable = random() % 4 == 0;
      const absl::Status waited =
          durable ? partition.WaitDurable(offset) : partition.WaitFor(offset);
      if (!Succeeded(waited)) return;
      ASSERT_GT(durable ? partition.durable_end() : partition.visible_end(),
                offset);
    }
  }

  // Trims what every reader has read, and syncs.
  void Trim() {
    std::minstd_rand random(99);
    while (true) {
      const auto index = static_cast<size_t>(random() % kPartitions);
      Partition partition = partitions_[index];
      int64_t read_to = partition.visible_end();
      for (const std::atomic<int64_t>& reader : parts_[index].read_to) {
        read_to = std::min(read_to, reader.load());
      }
      const int64_t offset = std::max<int64_t>(read_to - 500, 0);
      if (!Succeeded(partition.TrimBefore(offset))) return;
      ASSERT_GE(partition.log_start(), offset);
      if (!Succeeded(partition.Sync())) return;
      absl::SleepFor(absl::Milliseconds(2));
    }
  }

  // Makes topics and uses them, beside everything else.
  void Administrate(int round) {
    for (int i = 0;; ++i) {
      const std::string name = absl::StrCat("extra-", round, "-", i % 20);
      const absl::Status created = store_->CreateTopic(name, {.partitions = 2});
      if (!absl::IsAlreadyExists(created) && !Succeeded(created)) return;
      const auto described = store_->DescribeTopic(name);
      if (!Succeeded(described.status())) return;
      ASSERT_EQ(described->config.partitions, 2);
      auto partition = store_->partition(name, i % 2);
      if (!Succeeded(partition.status())) return;
      const auto appended =
          partition->Append({.value = name}, Durability::kMemory);
      if (!Succeeded(appended.status())) return;
      const auto view =
          partition->Read(appended->offset, {.level = ReadLevel::kVisible});
      if (!Succeeded(view.status())) return;
      ASSERT_FALSE(view->empty());
      ASSERT_FALSE(store_->ListTopics().empty());
    }
  }

  // Everything at once, until enough was appended; then Close, from two threads
  // at a time, while all of it goes on.
  void RunRound(int round) {
    closing_ = false;
    partitions_.clear();
    for (int i = 0; i < kPartitions; ++i) partitions_.push_back(PartitionAt(i));
    std::vector<std::thread> threads;
    for (int i = 0; i < kPartitions; ++i) {
      const int64_t first = partitions_[static_cast<size_t>(i)].log_start();
      for (int reader = 0; reader < kReadersEach; ++reader) {
        parts_[static_cast<size_t>(i)].read_to[static_cast<size_t>(reader)] =
            first;
        threads.emplace_back([=, this] { Follow(i, reader, first); });
      }
    }
    const int64_t enough = appended_ + kRecordsPerRound;
    for (int i = 0; i < kAppenders; ++i) {
      threads.emplace_back([=, this] { Append(i, round * kAppenders); });
    }
    for (int i = 0; i < kWaiters; ++i) {
      threads.emplace_back([=, this] { Wait(i); });
    }
    threads.emplace_back([this] { Trim(); });
    threads.emplace_back([=, this] { Administrate(round); });
    while (appended_ < enough && !HasFailure()) {
      absl::SleepFor(absl::Milliseconds(1));
    }
    closing_ = true;
    std::thread closer([this] { EXPECT_THAT(store_->Close(), IsOk()); });
    EXPECT_THAT(store_->Close(), IsOk());
    closer.join();
    for (std::thread& thread : threads) thread.join();
    partitions_.clear();
  }

  // The log is what was acknowledged, from its start on.
  void ExpectWhatWasAcknowledged() {
    for (int i = 0; i < kPartitions; ++i) {
      const Partition partition = PartitionAt(i);
      PerPartition& part = parts_[static_cast<size_t>(i)];
      const absl::MutexLock lock(&part.mu);
      ASSERT_FALSE(part.acknowledged.empty());
      ASSERT_EQ(partition.visible_end(), part.acknowledged.rbegin()->first + 1);
      int64_t offset = partition.log_start();
      while (offset < partition.visible_end()) {
        const auto view = partition.Read(offset);
        ASSERT_THAT(view, IsOk());
        RecordBatches::Records records = view->records();
        while (const RecordView* record = records.Next()) {
          ASSERT_EQ(record->offset(), offset++);
          ASSERT_EQ(Entry::Parse(record->value().value_or("")),
                    part.acknowledged.at(record->offset()));
        }
        ASSERT_THAT(records.status(), IsOk());
      }
    }
  }

  const Watchdog watchdog_{absl::Minutes(3) + RoundCount() * absl::Seconds(20),
                           "the threads stand still"};
  const ScratchDirectory scratch_;
  std::unique_ptr<LogStore> store_;
  std::vector<Partition> partitions_;  // constant while threads run
  std::array<PerPartition, kPartitions> parts_;
  std::atomic<int64_t> appended_ = 0;
  std::atomic<bool> closing_ = false;
};

TEST_F(StoreStressTest, EverythingAtOnceAndCloseInTheMiddleOfIt) {
  const int rounds = RoundCount();
  ASSERT_GT(rounds, 0);
  for (int round = 0; round < rounds && !HasFailure(); ++round) {
    Open();
    if (round == 0) {
      TopicConfig config = {.partitions = kPartitions};
      config.log.segment_bytes = 16 << 10;
      config.log.index_interval_bytes = 512;
      ASSERT_THAT(store_->CreateTopic("stress", config), IsOk());
    }
    RunRound(round);
    store_ = nullptr;
    if (HasFailure()) return;
    Open();
    ExpectWhatWasAcknowledged();
    EXPECT_THAT(store_->Close(), IsOk());
    store_ = nullptr;
  }
  std::cout << appended_ << " records, " << rounds << " rounds\n";
}

// Two threads that each wait for the other's record: a wake-up that is lost
// stops both.
TEST_F(StoreStressTest, NoWakeUpIsLostBetweenTwoThatWaitForEachOther) {
  Open();
  ASSERT_THAT(store_->CreateTopic("stress", {.partitions = 2}), IsOk());
  const auto play = [this](int own, int other) {
    Partition mine = PartitionAt(own);
    const Partition theirs = PartitionAt(other);
    for (int64_t i = 0; i < kExchanges; ++i) {
      // The one that begins does not wait for the first.
      const int64_t due = own == 1 ? i : i - 1;
      ASSERT_THAT(theirs.WaitFor(due), IsOk());
      ASSERT_THAT(mine.Append({.value = "ping"}, Durability::kMemory), IsOk());
    }
  };
  std::thread first([&] { play(0, 1); });
  std::thread second([&] { play(1, 0); });
  first.join();
  second.join();
  EXPECT_EQ(PartitionAt(0).visible_end(), kExchanges);
  EXPECT_EQ(PartitionAt(1).visible_end(), kExchanges);
  EXPECT_THAT(store_->Close(), IsOk());
}

}  // namespace
}  // namespace varve
