// SPDX-License-Identifier: Apache-2.0

// Many partitions, appended to by many threads, within the limits a program
// mostly has: 1,024 descriptors and 65,530 mappings. Their use is printed.
//
// 2,000 partitions; VARVE_STRESS_PARTITIONS says otherwise, and `./dev stress`
// says 10,000.

#include <stdlib.h>

#include <atomic>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status_matchers.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/process_footprint.h"
#include "tests/fixture/sanitizer.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/durability.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;

constexpr int64_t kDescriptorsMax = 1024;
constexpr int64_t kMappingsMax = 65530;
constexpr int64_t kIdlePartitionBytesMax = 64 << 10;
constexpr int kThreads = 64;
// Each partition is visited by this many threads, one after the other or at
// the same time, and each appends this many records.
constexpr int kVisits = 2;
constexpr int kAppendsPerVisit = 4;

constexpr int kPartitionsByDefault =
    kSanitizer == Sanitizer::kNone ? 2000 : 600;

int PartitionCount() {
  const char* text = getenv("VARVE_STRESS_PARTITIONS");
  int count = kPartitionsByDefault;
  if (text != nullptr && !absl::SimpleAtoi(text, &count)) return 0;
  return count;
}

std::string ValueOf(int partition, int visit, int append) {
  return absl::StrCat("partition ", partition, ", visit ", visit, ", append ",
                      append);
}

// Measures the process all the time, and keeps the maximum.
class FootprintWatch {
 public:
  FootprintWatch() : thread_([this] { Watch(); }) {}
  ~FootprintWatch() { Stop(); }

  ProcessFootprint Stop() {
    stopped_ = true;
    if (thread_.joinable()) thread_.join();
    absl::MutexLock lock(&mu_);
    return most_;
  }

 private:
  void Watch() {
    while (!stopped_) {
      const ProcessFootprint now = ProcessFootprint::Now();
      {
        absl::MutexLock lock(&mu_);
        most_.RaiseTo(now);
      }
      absl::SleepFor(absl::Milliseconds(100));
    }
  }

  std::atomic<bool> stopped_ = false;
  absl::Mutex mu_;
  ProcessFootprint most_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

class ManyPartitionsStressTest : public testing::Test {
 protected:
  void Open() {
    auto store = LogStore::Open(scratch_ / "store");
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
  }

  // One thread's visits: partition after partition, each thread beginning
  // elsewhere, so that all of them are touched all the time.
  void Visit(int thread) {
    const int visits = partition_count_ * kVisits;
    for (int i = thread; i < visits; i += kThreads) {
      const int visit = i / partition_count_;
      const int number = i % partition_count_;
      auto partition = store_->partition("many", number);
      ASSERT_THAT(partition, IsOk()) << number;
      for (int append = 0; append < kAppendsPerVisit; ++append) {
        const std::string value = ValueOf(number, visit, append);
        const auto result =
            partition->Append({.value = value}, LevelOf(i, append));
        ASSERT_TRUE(result.ok()) << result.status() << "; " << value << "; "
                                 << ProcessFootprint::Now().ToString();
      }
    }
  }
  static Durability LevelOf(int visit, int append) {
    if (append + 1 == kAppendsPerVisit && visit % 16 == 0)
      return Durability::kSynced;
    return visit % 2 == 0 ? Durability::kInterval : Durability::kMemory;
  }

  // All records of the partition, each visit's in its order, and no other.
  void ExpectAllRecords(int number) {
    auto partition = store_->partition("many", number);
    ASSERT_THAT(partition, IsOk()) << number;
    ASSERT_EQ(partition->visible_end(), kVisits * kAppendsPerVisit);
    std::vector<int> appends(kVisits, 0);
    for (int64_t offset = 0; offset < partition->visible_end();) {
      const auto view = partition->Read(offset, {.level = ReadLevel::kVisible});
      ASSERT_THAT(view, IsOk()) << number;
      RecordBatches::Records records = view->records();
      while (const RecordView* record = records.Next()) {
        const std::string value(record->value().value_or(""));
        int visit = 0;
        while (visit < kVisits &&
               value != ValueOf(number, visit, appends[visit])) {
          ++visit;
        }
        ASSERT_LT(visit, kVisits) << value;
        ++appends[visit];
      }
      ASSERT_THAT(records.status(), IsOk());
      offset = view->next_offset();
    }
    EXPECT_THAT(appends, testing::Each(kAppendsPerVisit));
  }

  // The background needs a moment to park idle partitions.
  ProcessFootprint AtRest(int64_t descriptors_max) {
    const absl::Time give_up = absl::Now() + absl::Minutes(2);
    ProcessFootprint now = ProcessFootprint::Now();
    while (now.descriptors > descriptors_max && absl::Now() < give_up) {
      absl::SleepFor(absl::Milliseconds(100));
      now = ProcessFootprint::Now();
    }
    return now;
  }

  void Print(std::string_view when, const ProcessFootprint& footprint) {
    std::cout << when << ": " << footprint.ToString() << ", "
              << DiskUsage(scratch_.path()) / 1024 << " KiB of disk\n";
  }

  const int partition_count_ = PartitionCount();
  const ScratchDirectory scratch_;
  std::unique_ptr<LogStore> store_;
};

TEST_F(ManyPartitionsStressTest, AppendsOfManyThreadsStayWithinTheLimits) {
  ASSERT_GT(partition_count_, 0);
  const ProcessFootprint before = ProcessFootprint::Now();
  const DescriptorLimit limit(kDescriptorsMax);
  Open();
  ASSERT_THAT(store_->CreateTopic("many", {.partitions = partition_count_}),
              IsOk());
  Print("created", ProcessFootprint::Now());
  FootprintWatch watch;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this, i] { Visit(i); });
  }
  for (std::thread& thread : threads) thread.join();
  const ProcessFootprint most = watch.Stop();
  Print("under load, at most", most);
  // The program keeps some for itself.
  EXPECT_LT(most.descriptors, kDescriptorsMax);
  EXPECT_LE(most.mappings, kMappingsMax);
  if (HasFailure()) return;

  // Far fewer than there are partitions: an idle one holds none.
  const int64_t few = before.descriptors + kDescriptorsMax / 2;
  const ProcessFootprint rest = AtRest(few);
  Print("at rest", rest);
  EXPECT_LE(rest.descriptors, few);
  EXPECT_LE(rest.mappings, kMappingsMax);
  EXPECT_LE(DiskUsage(scratch_.path()) / partition_count_,
            kIdlePartitionBytesMax);

  for (int i = 0; i < partition_count_ && !HasFailure(); ++i) {
    ExpectAllRecords(i);
  }
  Print("after every partition was read", ProcessFootprint::Now());
  EXPECT_THAT(store_->Close(), IsOk());
  Print("closed", ProcessFootprint::Now());
  Open();
  for (int i = 0; i < partition_count_ && !HasFailure(); ++i) {
    ExpectAllRecords(i);
  }
  Print("reopened, and read", ProcessFootprint::Now());
}

}  // namespace
}  // namespace varve
