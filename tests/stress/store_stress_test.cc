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

#include <stdlib.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <map>
#include <random>
#include <string>
#include <thread>
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
#include "tests/fixture/store_fixture.h"
#include "tests/fixture/stress_history.h"
#include "tests/fixture/watchdog.h"
#include "tests/stress/stress_readers.h"
#include "tests/stress/stress_run.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/store_metrics.h"
#include "varve/api/store_options.h"
#include "varve/api/topic_changes.h"
#include "varve/api/topic_config.h"
#include "varve/log/batch/record_batch_builder.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/durability.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::AnyOf;

constexpr bool kSanitized = kSanitizer != Sanitizer::kNone;
constexpr int kRoundsByDefault = kSanitized ? 2 : 5;
constexpr int64_t kRecordsPerRound = kSanitized ? 3000 : 10000;
constexpr int kPartitions = 3;
constexpr int kAppenders = 4;
constexpr int kWaiters = 3;

int RoundCount() {
  const char* text = getenv("VARVE_STRESS_ROUNDS");
  int count = kRoundsByDefault;
  return text == nullptr || absl::SimpleAtoi(text, &count) ? count : 0;
}

class StoreStressTest : public StoreFixture {
 protected:
  struct PerPartition {
    absl::Mutex mu;
    // What was acknowledged, by offset.
    std::map<int64_t, Entry> acknowledged ABSL_GUARDED_BY(mu);
    // The next sequence of each appender; its own.
    std::array<int64_t, kAppenders> next_sequence = {};
  };

  StoreOptions Options() override {
    return {.sync_interval = absl::Milliseconds(20)};
  }

  void Append(int appender, int round) {
    std::mt19937_64 random = run_.RandomOf(round * kAppenders + appender);
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
      if (!run_.Succeeded(result.status())) return;
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

  // Changes configs that lose nothing.
  void Alter() {
    std::mt19937_64 random = run_.RandomOf(-200);
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
      if (!run_.Succeeded(store_->AlterTopic("orders", changes))) return;
      absl::SleepFor(absl::Milliseconds(3));
    }
  }

  // A consumer group that follows the log.
  void Commit() {
    std::mt19937_64 random = run_.RandomOf(-300);
    while (true) {
      const auto index = static_cast<int32_t>(random() % kPartitions);
      const int64_t offset =
          partitions_[static_cast<size_t>(index)].visible_end();
      asked_[static_cast<size_t>(index)] = offset;
      const absl::Status status =
          store_->CommitOffset("g", "orders", index, offset, LevelOf(random()));
      if (!run_.Succeeded(status)) return;
      committed_[static_cast<size_t>(index)] = offset;
      const auto found = store_->CommittedOffset("g", "orders", index);
      if (!run_.Succeeded(found.status())) return;
      ASSERT_EQ(found->offset, offset);
    }
  }

  // Calls everything that returns information, until the store is closed.
  void Watch() {
    int64_t records = 0;
    while (!run_.is_closing()) {
      const StoreMetrics metrics = store_->Metrics();
      const int64_t now = metrics.traffic.appended_records;
      ASSERT_GE(now, records);
      records = now;
      ASSERT_FALSE(store_->recovery_report().has_damage());
      if (!run_.Succeeded(store_->RunMaintenance().status())) return;
      const auto groups = store_->ListGroups();
      if (!run_.Succeeded(groups.status())) return;
      if (groups->empty()) continue;
      if (!run_.Succeeded(store_->DescribeGroup("g").status())) return;
    }
  }

  // Trims what every follower has read, and syncs.
  void Trim(const StressReaders& readers) {
    std::mt19937_64 random = run_.RandomOf(-400);
    while (true) {
      const auto index = static_cast<size_t>(random() % kPartitions);
      Partition partition = partitions_[index];
      const int64_t read_to =
          std::min(partition.visible_end(), readers.FollowedTo(index));
      const int64_t offset = std::max<int64_t>(read_to - 500, 0);
      if (!run_.Succeeded(partition.TrimBefore(offset))) return;
      ASSERT_GE(partition.log_start(), offset);
      if (!run_.Succeeded(partition.Sync())) return;
      absl::SleepFor(absl::Milliseconds(2));
    }
  }

  // Makes topics and uses them, beside everything else.
  void Administrate(int round) {
    for (int i = 0;; ++i) {
      const std::string name = absl::StrCat("extra-", round, "-", i % 20);
      const absl::Status created = store_->CreateTopic(name, {.partitions = 2});
      if (!absl::IsAlreadyExists(created) && !run_.Succeeded(created)) return;
      const auto described = store_->DescribeTopic(name);
      if (!run_.Succeeded(described.status())) return;
      ASSERT_EQ(described->config.partitions, 2);
      auto partition = store_->partition(name, i % 2);
      if (!run_.Succeeded(partition.status())) return;
      const auto appended =
          partition->Append({.value = name}, Durability::kMemory);
      if (!run_.Succeeded(appended.status())) return;
      const auto view =
          partition->Read(appended->offset, {.level = ReadLevel::kVisible});
      if (!run_.Succeeded(view.status())) return;
      ASSERT_FALSE(view->empty());
      ASSERT_FALSE(store_->ListTopics().empty());
    }
  }

  // Everything at once, until enough was appended; then Close, from two threads
  // at a time, while all of it continues.
  void RunRound(int round) {
    run_.NoteOpen();
    partitions_.clear();
    for (int i = 0; i < kPartitions; ++i) partitions_.push_back(Orders(i));
    StressReaders readers(run_, partitions_);
    std::vector<std::thread> threads;
    for (size_t i = 0; i < kPartitions; ++i) {
      for (int follower = 0; follower < StressReaders::kFollowers; ++follower) {
        threads.emplace_back([=, &readers] { readers.Follow(i, follower); });
      }
    }
    const int64_t enough = appended_ + kRecordsPerRound;
    for (int i = 0; i < kAppenders; ++i) {
      threads.emplace_back([=, this] { Append(i, round); });
    }
    for (int i = 0; i < kWaiters; ++i) {
      threads.emplace_back([=, &readers] { readers.Wait(i); });
    }
    threads.emplace_back([this, &readers] { Trim(readers); });
    threads.emplace_back([=, this] { Administrate(round); });
    threads.emplace_back([&readers] { readers.Poll(); });
    threads.emplace_back([this] { Alter(); });
    threads.emplace_back([this] { Commit(); });
    threads.emplace_back([this] { Watch(); });
    while (appended_ < enough && !HasFailure()) {
      absl::SleepFor(absl::Milliseconds(1));
    }
    run_.NoteClosing();
    std::thread closer([this] { EXPECT_THAT(store_->Close(), IsOk()); });
    EXPECT_THAT(store_->Close(), IsOk());
    closer.join();
    for (std::thread& thread : threads) thread.join();
    partitions_.clear();
  }

  // Expects the log to hold what was acknowledged, from its start on.
  void ExpectWhatWasAcknowledged() {
    for (int i = 0; i < kPartitions; ++i) {
      const Partition partition = Orders(i);
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
      const auto found = store_->CommittedOffset("g", "orders", i);
      if (committed_[index] < 0 && absl::IsNotFound(found.status())) continue;
      ASSERT_THAT(found, IsOk());
      EXPECT_THAT(found->offset, AnyOf(committed_[index], asked_[index]));
      committed_[index] = found->offset;
    }
  }

  StressRun run_;
  const Watchdog watchdog_{absl::Minutes(3) + RoundCount() * absl::Seconds(20),
                           "the threads stand still"};
  std::vector<Partition> partitions_;  // constant while threads run
  std::array<PerPartition, kPartitions> parts_;
  std::atomic<int64_t> appended_ = 0;
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
      ASSERT_THAT(store_->CreateTopic("orders", config), IsOk());
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

}  // namespace
}  // namespace varve
