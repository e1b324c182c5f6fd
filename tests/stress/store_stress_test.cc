// SPDX-License-Identifier: Apache-2.0

// Appenders, readers, waiters and administrators on one store, all at once, and
// Close in the middle of it. Every reader's records are checked one by one, and
// after every reopen the log holds what was acknowledged, and nothing else.
// Waits have no deadline, and a watchdog looks after them: no wake-up is lost.
// tests/stress/topic_churn_stress_test.cc does the same to topics that are
// created and deleted.
//
// VARVE_STRESS_ROUNDS says how often the store is opened and closed,
// VARVE_TEST_SEED what the threads choose.

#include <poll.h>
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
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/sanitizer.h"
#include "tests/fixture/scratch_directory.h"
#include "tests/fixture/stress_history.h"
#include "tests/fixture/watchdog.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/store_metrics.h"
#include "varve/api/topic_changes.h"
#include "varve/api/topic_config.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/partition/append_event.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::AnyOf;

constexpr bool kSanitized = kSanitizer != Sanitizer::kNone;
constexpr int kRoundsByDefault = kSanitized ? 2 : 5;
constexpr int64_t kRecordsPerRound = kSanitized ? 3000 : 10000;
constexpr int64_t kExchanges = kSanitized ? 1000 : 10000;
constexpr int kPartitions = 3;
constexpr int kAppenders = 4;
constexpr int kReadersEach = 2;  // of each partition
constexpr int kWaiters = 3;

int RoundCount() {
  const char* text = getenv("VARVE_STRESS_ROUNDS");
  int count = kRoundsByDefault;
  return text == nullptr || absl::SimpleAtoi(text, &count) ? count : 0;
}

uint64_t Seed() {
  const char* text = getenv("VARVE_TEST_SEED");
  uint64_t seed = std::random_device()();
  if (text != nullptr && !absl::SimpleAtoi(text, &seed)) seed = 0;
  std::cout << "VARVE_TEST_SEED=" << seed << std::endl;
  return seed;
}

class StoreStressTest : public testing::Test {
 protected:
  struct PerPartition {
    absl::Mutex mu;
    // What was acknowledged, by offset.
    std::map<int64_t, Entry> acknowledged ABSL_GUARDED_BY(mu);
    // The next sequence of each appender; its own.
    std::array<int64_t, kAppenders> next_sequence = {};
    // The position of each reader; trims stay below them.
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

  // A thread's random numbers; no other thread uses the same `thread`.
  std::mt19937_64 RandomOf(int thread) const {
    return std::mt19937_64(seed_ * 1000 + static_cast<uint64_t>(thread));
  }

  void Append(int appender, int round) {
    std::mt19937_64 random = RandomOf(round * kAppenders + appender);
    RecordBatchBuilder builder;
    while (true) {
      const int index = static_cast<int>(random() % kPartitions);
      PerPartition& part = parts_[static_cast<size_t>(index)];
      int64_t& next = part.next_sequence[static_cast<size_t>(appender)];
      const int64_t count =
          random() % 3 == 0 ? static_cast<int64_t>(1 + random() % 9) : 1;
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
      // The appender sees its own records.
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
    std::mt19937_64 random = RandomOf(-1 - index * 8 - reader);
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

  // Waits for records that do not exist yet, again and again.
  void Wait(int waiter) {
    std::mt19937_64 random = RandomOf(-100 - waiter);
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

  // An event loop: reads all partitions, each when its descriptor says so. A
  // record may be passed over that was trimmed, since trims wait for the other
  // readers alone, but none that is there.
  void Poll() {
    std::vector<std::shared_ptr<AppendEvent>> events;
    std::vector<pollfd> polled;
    std::vector<History> histories;
    for (const Partition& partition : partitions_) {
      auto event = partition.NewAppendEvent();
      if (!Succeeded(event.status())) return;
      polled.push_back(
          {.fd = (*event)->descriptor(), .events = POLLIN, .revents = 0});
      events.push_back(*std::move(event));
      histories.emplace_back(partition.log_start());
    }
    while (!HasFatalFailure()) {
      for (size_t i = 0; i < events.size(); ++i) {
        // Read the records from before the event was made, or the loop began to
        // wait.
        events[i]->Clear();
        if (!ReadToEnd(partitions_[i], histories[i])) return;
      }
      ASSERT_GT(poll(polled.data(), polled.size(), /*timeout=*/-1), 0);
    }
  }
  // False when the store is being closed.
  bool ReadToEnd(const Partition& partition, History& history) {
    while (!HasFatalFailure()) {
      const absl::StatusOr<RecordBatches> view =
          partition.Read(history.next_offset(), {.level = ReadLevel::kVisible});
      if (absl::IsOutOfRange(view.status())) {
        EXPECT_LT(history.next_offset(), partition.log_start());
        history = History(partition.log_start());
        continue;
      }
      if (!Succeeded(view.status())) return false;
      if (view->empty()) return true;
      RecordBatches::Records records = view->records();
      while (const RecordView* record = records.Next()) history.See(*record);
      EXPECT_THAT(records.status(), IsOk());
    }
    return false;
  }

  // Changes configs that lose nothing.
  void Alter() {
    std::mt19937_64 random = RandomOf(-200);
    while (true) {
      const std::string segment = absl::StrCat(8192 + random() % 32768);
      const std::string interval = absl::StrCat(100 + random() % 1000);
      const char* flush = random() % 2 == 0 ? "5" : "9223372036854775807";
      const char* stamp = random() % 2 == 0 ? "CreateTime" : "LogAppendTime";
      const TopicChanges changes = {.set = {{"segment.bytes", segment},
                                            {"index.interval.bytes", interval},
                                            {"flush.ms", flush},
                                            {"message.timestamp.type", stamp},
                                            // Each change makes retention check
                                            // the topic, and find nothing.
                                            {"retention.bytes", "1000000000"}}};
      if (!Succeeded(store_->AlterTopic("stress", changes))) return;
      absl::SleepFor(absl::Milliseconds(3));
    }
  }

  // A consumer group that follows the log.
  void Commit() {
    std::mt19937_64 random = RandomOf(-300);
    while (true) {
      const auto index = static_cast<int32_t>(random() % kPartitions);
      const int64_t offset =
          partitions_[static_cast<size_t>(index)].visible_end();
      asked_[static_cast<size_t>(index)] = offset;
      const absl::Status status =
          store_->CommitOffset("g", "stress", index, offset, LevelOf(random()));
      if (!Succeeded(status)) return;
      committed_[static_cast<size_t>(index)] = offset;
      const auto found = store_->CommittedOffset("g", "stress", index);
      if (!Succeeded(found.status())) return;
      ASSERT_EQ(found->offset, offset);
    }
  }

  // Calls everything that returns information, until the store is closed.
  void Watch() {
    int64_t records = 0;
    while (!closing_) {
      const StoreMetrics metrics = store_->Metrics();
      const int64_t now = metrics.traffic.appended_records;
      ASSERT_GE(now, records);
      records = now;
      ASSERT_FALSE(store_->recovery_report().has_damage());
      if (!Succeeded(store_->RunMaintenance().status())) return;
      const auto groups = store_->ListGroups();
      if (!Succeeded(groups.status())) return;
      if (groups->empty()) continue;
      if (!Succeeded(store_->DescribeGroup("g").status())) return;
    }
  }

  // Trims what every reader has read, and syncs.
  void Trim() {
    std::mt19937_64 random = RandomOf(-400);
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
  // at a time, while all of it continues.
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
      threads.emplace_back([=, this] { Append(i, round); });
    }
    for (int i = 0; i < kWaiters; ++i) {
      threads.emplace_back([=, this] { Wait(i); });
    }
    threads.emplace_back([this] { Trim(); });
    threads.emplace_back([=, this] { Administrate(round); });
    threads.emplace_back([this] { Poll(); });
    threads.emplace_back([this] { Alter(); });
    threads.emplace_back([this] { Commit(); });
    threads.emplace_back([this] { Watch(); });
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

  // Expects the log to hold what was acknowledged, from its start on.
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

  // The group's offset is the one that it committed last, or tried to.
  void ExpectWhatWasCommitted() {
    for (int32_t i = 0; i < kPartitions; ++i) {
      const auto index = static_cast<size_t>(i);
      const auto found = store_->CommittedOffset("g", "stress", i);
      if (committed_[index] < 0 && absl::IsNotFound(found.status())) continue;
      ASSERT_THAT(found, IsOk());
      EXPECT_THAT(found->offset, AnyOf(committed_[index], asked_[index]));
      committed_[index] = found->offset;
    }
  }

  const uint64_t seed_ = Seed();
  const Watchdog watchdog_{absl::Minutes(3) + RoundCount() * absl::Seconds(20),
                           "the threads stand still"};
  const ScratchDirectory scratch_;
  std::unique_ptr<LogStore> store_;
  std::vector<Partition> partitions_;  // constant while threads run
  std::array<PerPartition, kPartitions> parts_;
  std::atomic<int64_t> appended_ = 0;
  std::atomic<bool> closing_ = false;
  // Of the group, by partition; of the thread that commits.
  std::array<int64_t, kPartitions> committed_ = {-1, -1, -1};
  std::array<int64_t, kPartitions> asked_ = {-1, -1, -1};
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
    ExpectWhatWasCommitted();
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
