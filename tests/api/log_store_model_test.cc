// SPDX-License-Identifier: Apache-2.0

// Random operations on a store and on a plain vector: after each step both hold
// the same records. Steps include trims, clean reopens, and kills between any
// two calls of the store's own threads.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/random_records.h"
#include "tests/fixture/scratch_directory.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::SizeIs;

constexpr int kPartitions = 2;

// VARVE_TEST_SEED repeats a run.
uint64_t Seed() {
  const char* text = std::getenv("VARVE_TEST_SEED");
  const uint64_t seed = text == nullptr ? std::random_device()()
                                        : std::strtoull(text, nullptr, 10);
  std::cout << "VARVE_TEST_SEED=" << seed << std::endl;
  return seed;
}

class Model {
 public:
  Model(const std::string& directory, uint64_t seed)
      : directory_(directory), random_(seed), records_(seed) {
    Open();
    TopicConfig config = {.partitions = kPartitions};
    config.log.segment_bytes = 4096;
    config.log.index_interval_bytes = 200;
    config.log.segment_index_bytes = 240;
    config.log.max_message_bytes = 3000;
    CHECK_OK(store_->CreateTopic("t", config));
  }

  void Step() {
    switch (Pick(40)) {
      case 0:
        return Reopen();
      case 1:
        return Kill();
      case 2:
      case 3:
      case 4:
        return AppendBatch();
      case 5:
      case 6:
      case 7:
        return ReadSomewhere();
      case 8:
        return Trim();
      default:
        return AppendOne();
    }
  }

  void CheckAll() {
    for (int p = 0; p < kPartitions; ++p) CheckFrom(p, log_start_[p], {});
  }

 private:
  int64_t Pick(int64_t end) {
    return static_cast<int64_t>(random_() % static_cast<uint64_t>(end));
  }

  void Open() {
    StoreOptions options;
    options.environment.files = &files_;
    auto store = LogStore::Open(Path(), options);
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
    EXPECT_FALSE(store_->recovery_report().has_damage());
  }

  std::string Path() const {
    return absl::StrCat(directory_, "/", generation_);
  }

  Partition Open(int p) {
    auto partition = store_->partition("t", p);
    CHECK_OK(partition.status());
    return *partition;
  }

  Durability AnyDurability() {
    // Syncs are slow, and most steps need none.
    const int64_t pick = Pick(10);
    return pick == 0   ? Durability::kSynced
           : pick == 1 ? Durability::kInterval
                       : Durability::kMemory;
  }

  void AppendOne() {
    const int p = static_cast<int>(Pick(kPartitions));
    OwnedRecord record = records_.Next();
    std::vector<Header> headers;
    Record view = record.View(&headers);
    view.timestamp = absl::FromUnixMillis(Pick(1'000'000'000));
    record.timestamp_ms = absl::ToUnixMillis(*view.timestamp);
    auto result = Open(p).Append(view, AnyDurability());
    if (absl::IsInvalidArgument(result.status())) return;  // too large
    ASSERT_THAT(result, IsOk());
    EXPECT_EQ(result->offset, static_cast<int64_t>(expected_[p].size()));
    expected_[p].push_back(record);
  }

  void AppendBatch() {
    const int p = static_cast<int>(Pick(kPartitions));
    RecordBatchBuilder builder;
    std::vector<OwnedRecord> records;
    const int64_t count = 1 + Pick(20);
    for (int64_t i = 0; i < count; ++i) {
      OwnedRecord record = records_.Next();
      record.timestamp_ms = Pick(1'000'000'000);
      std::vector<Header> headers;
      ASSERT_THAT(builder.Append(record.View(&headers), record.timestamp_ms),
                  IsOk());
      records.push_back(record);
    }
    auto result = Open(p).Append(builder.Finish(), AnyDurability());
    if (absl::IsInvalidArgument(result.status())) return;  // too large
    ASSERT_THAT(result, IsOk());
    EXPECT_EQ(result->offset, static_cast<int64_t>(expected_[p].size()));
    expected_[p].insert(expected_[p].end(), records.begin(), records.end());
  }

  void ReadSomewhere() {
    const int p = static_cast<int>(Pick(kPartitions));
    const int64_t size = static_cast<int64_t>(expected_[p].size());
    const int64_t start = log_start_[p];
    CheckFrom(p, start + Pick(size - start + 1), {.max_bytes = Pick(5000)});
  }

  void Trim() {
    const int p = static_cast<int>(Pick(kPartitions));
    const int64_t size = static_cast<int64_t>(expected_[p].size());
    // Seldom all of it.
    const int64_t offset =
        Pick(std::max<int64_t>(size / 2, Pick(size + 1)) + 1);
    ASSERT_THAT(Open(p).TrimBefore(offset), IsOk());
    log_start_[p] = std::max(log_start_[p], offset);
  }

  void CheckFrom(int p, int64_t offset, const ReadOptions& options) {
    ASSERT_EQ(Open(p).log_start(), log_start_[p]);
    auto stored = ReadFrom(Open(p), offset, options);
    ASSERT_THAT(stored, IsOk());
    ASSERT_THAT(*stored,
                SizeIs(expected_[p].size() - static_cast<size_t>(offset)));
    for (const auto& [at, record] : *stored) {
      EXPECT_EQ(at, offset++);
      EXPECT_EQ(record, expected_[p][static_cast<size_t>(at)]) << "at " << at;
    }
  }

  void Reopen() {
    ASSERT_THAT(store_->Close(), IsOk());
    Open();
    EXPECT_TRUE(store_->recovery_report().clean);
  }

  void Kill() {
    const std::string before = Path();
    ++generation_;
    // The kill is often in the middle of a trim, which then was made or was
    // not.
    const int p = static_cast<int>(Pick(kPartitions));
    const int64_t end = static_cast<int64_t>(expected_[p].size());
    const int64_t start =
        Pick(2) == 0 ? 0 : std::min(log_start_[p] + Pick(50), end);
    std::thread trimmer([start, partition = Open(p)]() mutable {
      EXPECT_THAT(partition.TrimBefore(start), IsOk());
    });
    absl::SleepFor(absl::Microseconds(Pick(2000)));
    CopyStore(files_, before, Path());
    trimmer.join();
    ASSERT_THAT(store_->Close(), IsOk());
    store_ = nullptr;
    std::filesystem::remove_all(before);
    Open();
    if (Open(p).log_start() > log_start_[p]) log_start_[p] = start;
  }

  const std::string directory_;
  int generation_ = 0;
  std::mt19937_64 random_;
  RandomRecords records_;
  FaultyFileSystem files_;
  std::unique_ptr<LogStore> store_;
  std::vector<OwnedRecord> expected_[kPartitions];
  int64_t log_start_[kPartitions] = {};
};

TEST(LogStoreModelTest, StoreHoldsWhatAVectorHoldsAfterRandomSteps) {
  const uint64_t seed = Seed();
  ScratchDirectory scratch;
  Model model(scratch.path(), seed);
  for (int step = 0; step < 2000 && !testing::Test::HasFailure(); ++step) {
    SCOPED_TRACE(absl::StrCat("seed ", seed, ", step ", step));
    model.Step();
  }
  model.CheckAll();
}

}  // namespace
}  // namespace varve
