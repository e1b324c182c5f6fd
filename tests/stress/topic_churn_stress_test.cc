// SPDX-License-Identifier: Apache-2.0

// Topics that are deleted, made again, altered and given partitions while other
// threads append to them, read and wait, and Close in the middle of it. After
// every reopen a topic holds what was acknowledged since it was made last, and
// nothing of those before it.
//
// VARVE_STRESS_ROUNDS says how often the store is opened and closed,
// VARVE_TEST_SEED what the threads choose.

#include <poll.h>
#include <stdlib.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <iostream>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <tuple>
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
#include "tests/fixture/stored_records.h"
#include "tests/fixture/watchdog.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/topic_changes.h"
#include "varve/api/topic_config.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/partition/append_event.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;

constexpr int64_t kRecordsPerRound =
    kSanitizer == Sanitizer::kNone ? 2000 : 500;
constexpr int kRoundsByDefault = 4;
constexpr int kTopics = 3;
constexpr int kAppenders = 4;

uint64_t NumberOf(const char* variable, uint64_t otherwise) {
  const char* text = getenv(variable);
  uint64_t number = otherwise;
  return text == nullptr || absl::SimpleAtoi(text, &number) ? number : 0;
}

// One name, and the topics that had it, one after the other.
struct Churned {
  std::string name;
  // The number of the topic: even while a topic of that name exists, and no
  // thread is deleting it.
  // Memory ordering: sequentially consistent; a thread that reads the same even
  // number before and after its call made it on that topic.
  std::atomic<int64_t> life = 0;

  absl::Mutex mu;
  // What was acknowledged: the life, partition, offset and value.
  std::set<std::tuple<int64_t, int32_t, int64_t, std::string>> acknowledged
      ABSL_GUARDED_BY(mu);
  // Values of appends whose topic is not known: it was being deleted.
  std::set<std::string> doubtful ABSL_GUARDED_BY(mu);
};

class TopicChurnStressTest : public testing::Test {
 protected:
  void SetUp() override {
    std::cout << "VARVE_TEST_SEED=" << seed_ << std::endl;
    Open();
    for (int i = 0; i < kTopics; ++i) {
      topics_[static_cast<size_t>(i)].name = absl::StrCat("churned-", i);
      ASSERT_THAT(store_->CreateTopic(absl::StrCat("churned-", i), Config()),
                  IsOk());
    }
    ASSERT_THAT(store_->Close(), IsOk());
  }

  static TopicConfig Config() {
    TopicConfig config = {.partitions = 1};
    config.log.segment_bytes = 2000;
    config.log.file_delete_delay_ms = 20;
    return config;
  }

  void Open() {
    closing_ = false;
    StoreOptions options = {.sync_interval = absl::Milliseconds(20)};
    options.log_sink = [](const LogMessage&) {};
    auto store = LogStore::Open(scratch_.path(), options);
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
  }

  std::mt19937_64 RandomOf(int round, int thread) const {
    return std::mt19937_64(seed_ * 1000 +
                           static_cast<uint64_t>(round * 20 + thread));
  }

  enum class Outcome { kDone, kTopicIsGone, kClosing };

  // The outcome of a call on a topic that another thread may delete. Any other
  // failure is one of the test.
  Outcome OutcomeOf(const absl::Status& status) {
    if (status.ok()) return Outcome::kDone;
    // A topic that is deleted by then is not made again.
    if (closing_ &&
        (absl::IsFailedPrecondition(status) || absl::IsNotFound(status)))
      return Outcome::kClosing;
    // A waiter gets the same error for both; the next call says which it was.
    EXPECT_TRUE(absl::IsNotFound(status) || absl::IsCancelled(status))
        << status;
    return Outcome::kTopicIsGone;
  }

  // Appends to all partitions of all names.
  void Append(int round, int appender) {
    std::mt19937_64 random = RandomOf(round, appender);
    for (int64_t i = 0; !HasFailure(); ++i) {
      Churned& topic = topics_[random() % kTopics];
      const std::string value = absl::StrCat(round, ".", appender, ".", i);
      const int64_t life = topic.life;
      const absl::StatusOr<TopicDescription> described =
          store_->DescribeTopic(topic.name);
      if (!described.ok()) {
        if (OutcomeOf(described.status()) == Outcome::kClosing) return;
        continue;
      }
      const auto index = static_cast<int32_t>(
          random() % static_cast<uint64_t>(described->config.partitions));
      absl::StatusOr<AppendResult> result = AppendTo(topic, index, value);
      // The topic that was described may have had more partitions.
      if (absl::IsOutOfRange(result.status())) continue;
      const Outcome outcome = OutcomeOf(result.status());
      if (outcome == Outcome::kClosing) return;
      if (outcome == Outcome::kTopicIsGone) continue;
      ++appended_;
      const absl::MutexLock lock(&topic.mu);
      if (life % 2 == 0 && topic.life == life) {
        topic.acknowledged.emplace(life, index, result->offset, value);
      } else {
        topic.doubtful.insert(value);
      }
    }
  }
  absl::StatusOr<AppendResult> AppendTo(const Churned& topic, int32_t index,
                                        const std::string& value) {
    absl::StatusOr<Partition> partition = store_->partition(topic.name, index);
    if (!partition.ok()) return partition.status();
    const Durability durability =
        value.back() == '7' ? Durability::kSynced : Durability::kMemory;
    return partition->Append({.value = value}, durability);
  }

  // Deletes a topic, makes it again, and gives it partitions and configs.
  void Administrate(int round, int topic_number) {
    Churned& topic = topics_[static_cast<size_t>(topic_number)];
    std::mt19937_64 random = RandomOf(round, 10 + topic_number);
    while (!HasFailure()) {
      absl::SleepFor(absl::Milliseconds(random() % 20));
      const std::string limit = absl::StrCat(1000 + random() % 5000);
      if (OutcomeOf(store_->AlterTopic(topic.name,
                                       {.set = {{"segment.bytes", limit}}})) !=
          Outcome::kDone)
        return;
      if (OutcomeOf(store_->AddPartitions(topic.name, 4)) != Outcome::kDone)
        return;
      absl::SleepFor(absl::Milliseconds(random() % 20));
      ++topic.life;
      const Outcome deleted = OutcomeOf(store_->DeleteTopic(topic.name));
      if (deleted != Outcome::kDone) {
        --topic.life;  // the same topic still
        return;
      }
      EXPECT_TRUE(absl::IsNotFound(store_->DescribeTopic(topic.name).status()));
      if (OutcomeOf(store_->CreateTopic(topic.name, Config())) !=
          Outcome::kDone)
        return;
      ++topic.life;
      ++deleted_;
    }
  }

  // Reads a partition as long as its topic lives, and waits at its end: by
  // WaitFor, or by a descriptor.
  void Follow(int round, int reader) {
    std::mt19937_64 random = RandomOf(round, 15 + reader);
    while (!HasFailure()) {
      const Churned& topic = topics_[random() % kTopics];
      absl::StatusOr<Partition> partition = store_->partition(topic.name, 0);
      absl::Status status = partition.status();
      if (status.ok()) {
        status = reader % 2 == 0 ? FollowByWaiting(*partition)
                                 : FollowByPolling(*partition);
      }
      if (OutcomeOf(status) == Outcome::kClosing) return;
    }
  }
  // Both return the status that ended them.
  absl::Status ReadToEnd(const Partition& partition, int64_t& next) {
    while (true) {
      const absl::StatusOr<RecordBatches> view =
          partition.Read(next, {.level = ReadLevel::kVisible});
      if (!view.ok() || view->empty()) return view.status();
      RecordBatches::Records records = view->records();
      while (const RecordView* record = records.Next()) {
        EXPECT_EQ(record->offset(), next++);
      }
      if (!records.status().ok()) return records.status();
    }
  }
  absl::Status FollowByWaiting(const Partition& partition) {
    int64_t next = 0;
    while (true) {
      absl::Status status = ReadToEnd(partition, next);
      if (status.ok()) status = partition.WaitFor(next);
      if (!status.ok()) return status;
    }
  }
  absl::Status FollowByPolling(const Partition& partition) {
    int64_t next = 0;
    const auto event = partition.NewAppendEvent();
    if (!event.ok()) return event.status();
    while (true) {
      (*event)->Clear();
      if (absl::Status s = ReadToEnd(partition, next); !s.ok()) return s;
      pollfd polled = {
          .fd = (*event)->descriptor(), .events = POLLIN, .revents = 0};
      EXPECT_EQ(poll(&polled, 1, /*timeout=*/-1), 1);
    }
  }

  void RunRound(int round) {
    std::vector<std::thread> threads;
    for (int i = 0; i < kAppenders; ++i)
      threads.emplace_back([=, this] { Append(round, i); });
    for (int i = 0; i < kTopics; ++i)
      threads.emplace_back([=, this] { Administrate(round, i); });
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([=, this] { Follow(round, i); });
    const int64_t enough = appended_ + kRecordsPerRound;
    while (appended_ < enough && !HasFailure())
      absl::SleepFor(absl::Milliseconds(1));
    closing_ = true;
    EXPECT_THAT(store_->Close(), IsOk());
    for (std::thread& thread : threads) thread.join();
  }

  // Called after a reopen.
  void Check(Churned& topic) {
    const absl::MutexLock lock(&topic.mu);
    const int64_t life = topic.life;
    const auto described = store_->DescribeTopic(topic.name);
    if (life % 2 != 0) {
      // It was deleted, and could not be made again.
      ASSERT_THAT(described,
                  absl_testing::StatusIs(absl::StatusCode::kNotFound));
      ASSERT_THAT(store_->CreateTopic(topic.name, Config()), IsOk());
      ++topic.life;
      return;
    }
    ASSERT_THAT(described, IsOk());
    std::set<std::tuple<int64_t, int32_t, int64_t, std::string>> found;
    for (int32_t i = 0; i < described->config.partitions; ++i) {
      const auto stored = ReadAll(*store_->partition(topic.name, i));
      ASSERT_THAT(stored, IsOk());
      for (const auto& [offset, record] : *stored) {
        const std::string value = record.value.value_or("");
        if (topic.doubtful.contains(value)) continue;
        found.emplace(life, i, offset, value);
      }
    }
    std::set<std::tuple<int64_t, int32_t, int64_t, std::string>> expected;
    for (const auto& one : topic.acknowledged) {
      if (std::get<0>(one) == life) expected.insert(one);
    }
    EXPECT_EQ(found, expected) << topic.name << ", life " << life;
    topic.acknowledged = expected;
  }

  const uint64_t seed_ = NumberOf("VARVE_TEST_SEED", std::random_device()());
  const uint64_t rounds_ = NumberOf("VARVE_STRESS_ROUNDS", kRoundsByDefault);
  const Watchdog watchdog_{
      absl::Minutes(3) + absl::Seconds(20) * static_cast<double>(rounds_),
      "the threads stand still"};
  const ScratchDirectory scratch_;
  std::unique_ptr<LogStore> store_;
  std::array<Churned, kTopics> topics_;
  std::atomic<int64_t> appended_ = 0;
  std::atomic<int64_t> deleted_ = 0;
  std::atomic<bool> closing_ = false;
};

TEST_F(TopicChurnStressTest, TopicHoldsWhatWasAppendedToItAndNothingOfOthers) {
  ASSERT_GT(rounds_, 0u);
  for (uint64_t round = 0; round < rounds_ && !HasFailure(); ++round) {
    Open();
    RunRound(static_cast<int>(round));
    store_ = nullptr;
    Open();
    EXPECT_TRUE(store_->recovery_report().clean);
    for (Churned& topic : topics_) Check(topic);
    EXPECT_THAT(store_->Close(), IsOk());
    store_ = nullptr;
  }
  EXPECT_GT(deleted_, 0);
  std::cout << appended_ << " records, " << deleted_ << " topics deleted, "
            << rounds_ << " rounds\n";
}

}  // namespace
}  // namespace varve
