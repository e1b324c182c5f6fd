// SPDX-License-Identifier: Apache-2.0

#include "varve/api/partitions/partition_parking.h"

#include <sys/resource.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/partition_fixture.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/api/log_store.h"
#include "varve/log/metadata/file_names.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;

int64_t OpenDescriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                       std::filesystem::directory_iterator());
}

// Mapped files below `path`.
int64_t MappingsOf(const std::string& path) {
  std::ifstream maps("/proc/self/maps");
  int64_t count = 0;
  for (std::string line; std::getline(maps, line);) {
    if (line.find(path) != line.npos) ++count;
  }
  return count;
}

// Lowers the limit of descriptors for as long as it lives.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(rlim_t limit) {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit lower = {.rlim_cur = limit, .rlim_max = before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &lower), 0);
  }
  ~DescriptorLimit() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_ = {};
};

class PartitionParkingTest : public ::testing::Test {
 protected:
  void Open(const StoreOptions& options = {}) {
    auto store = LogStore::Open(path_, options);
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
  }
  Partition Orders(int32_t partition) {
    return *store_->partition("orders", partition);
  }
  void AppendToEach(int32_t partitions) {
    for (int32_t i = 0; i < partitions; ++i) {
      ASSERT_THAT(Orders(i).Append({.value = absl::StrCat("to ", i)},
                                   Durability::kMemory),
                  IsOk());
    }
  }

  ScratchDirectory scratch_;
  const std::string path_ = scratch_ / "store";
  std::unique_ptr<LogStore> store_;
};

TEST_F(PartitionParkingTest, MorePartitionsThanDescriptorsAreWrittenAndRead) {
  constexpr int32_t kPartitions = 300;
  const DescriptorLimit limit(100);
  Open();
  ASSERT_THAT(store_->CreateTopic("orders", {.partitions = kPartitions}),
              IsOk());
  for (int round = 0; round < 2; ++round) AppendToEach(kPartitions);
  EXPECT_LE(OpenDescriptors(), 100);
  for (int32_t i = 0; i < kPartitions; ++i) {
    const auto view = Orders(i).Read(0);
    ASSERT_THAT(view, IsOk()) << i;
    RecordBatches::Records records = view->records();
    for (int round = 0; round < 2; ++round) {
      EXPECT_EQ(records.Next()->value(), absl::StrCat("to ", i));
    }
  }
  EXPECT_THAT(store_->Close(), IsOk());
  Open();
  EXPECT_TRUE(store_->recovery_report().clean);
  EXPECT_EQ(Orders(kPartitions - 1).visible_end(), 2);
}

TEST_F(PartitionParkingTest, ThreadsShareFewDescriptors) {
  constexpr int32_t kPartitions = 64;
  constexpr int kThreads = 8;
  constexpr int64_t kAppends = 300;
  const DescriptorLimit limit(96);
  Open();
  ASSERT_THAT(store_->CreateTopic("orders", {.partitions = kPartitions}),
              IsOk());
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int64_t i = 0; i < kAppends; ++i) {
        const auto partition =
            static_cast<int32_t>((thread * 31 + i * 7) % kPartitions);
        auto handle = store_->partition("orders", partition);
        ASSERT_THAT(handle, IsOk());
        ASSERT_THAT(handle->Append({.value = "x"}, Durability::kMemory),
                    IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  int64_t records = 0;
  for (int32_t i = 0; i < kPartitions; ++i) records += Orders(i).visible_end();
  EXPECT_EQ(records, kThreads * kAppends);
}

TEST_F(PartitionParkingTest, UnusedPartitionsAreParkedAndCostLittleDisk) {
  constexpr int32_t kPartitions = 20;
  ManualClock clock;
  Open({.background = Background::kNone, .environment = {.clock = &clock}});
  ASSERT_THAT(store_->CreateTopic("orders", {.partitions = kPartitions}),
              IsOk());
  AppendToEach(kPartitions);
  const int64_t held = OpenDescriptors();
  EXPECT_GE(MappingsOf(path_), 3 * kPartitions);
  for (int i = 0; i < 3; ++i) {
    clock.Advance(absl::Seconds(31));
    ASSERT_THAT(store_->RunMaintenance(), IsOk());
  }
  EXPECT_EQ(OpenDescriptors(), held - 4 * kPartitions);
  EXPECT_EQ(MappingsOf(path_), 0);
  EXPECT_EQ(Orders(3).durable_end(), 1);
  for (int32_t i = 0; i < kPartitions; ++i) {
    int64_t blocks = 0;
    for (const auto& entry : std::filesystem::directory_iterator(
             absl::StrCat(path_, "/", PartitionDirectoryName("orders", i)))) {
      blocks += (static_cast<int64_t>(entry.file_size()) + 4095) / 4096 + 1;
    }
    EXPECT_LE(4096 * blocks, 64 << 10);
  }
  AppendToEach(kPartitions);
  EXPECT_EQ(Orders(3).visible_end(), 2);
  store_ = nullptr;  // before its clock
}

TEST(PartitionParkingLimitsTest, AnEighthOfTheDescriptorsIsForPartitions) {
  const DescriptorLimit limit(800);
  EXPECT_EQ(PartitionParking::Limits::OfProcess().active_partitions, 100);
}

}  // namespace
}  // namespace varve
