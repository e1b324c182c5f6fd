// SPDX-License-Identifier: Apache-2.0

// Backups of a store at work: threads append, roll, trim and commit meanwhile.
// Each backup is restored, verified, and compared with the store record by
// record and commit by commit.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/memory_directory.h"
#include "varve/api/log_store.h"
#include "varve/api/store_backup.h"
#include "varve/api/store_verifier.h"
#include "varve/log/batch/record_batches.h"
#include "varve/log/metadata/durability.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::IsEmpty;

constexpr int32_t kPartitions = 3;
constexpr int kRounds = 6;

// The value of every record is known by its place.
std::string ValueOf(int32_t partition, int64_t offset) {
  return absl::StrCat(partition, ":", offset, ":",
                      std::string(static_cast<size_t>(offset % 97), 'v'));
}

std::string GroupOf(int32_t partition) {
  return absl::StrCat("group-", partition);
}

class StoreBackupLoadTest : public testing::Test {
 protected:
  void SetUp() override {
    store_ = Open(path_);
    TopicConfig config = {.partitions = kPartitions};
    config.log.segment_bytes = 64 << 10;
    ASSERT_THAT(store_->CreateTopic("orders", config), IsOk());
  }

  static std::unique_ptr<LogStore> Open(const std::string& path) {
    StoreOptions options;
    options.log_sink = [](const LogMessage&) {};
    auto store = LogStore::Open(path, options);
    EXPECT_THAT(store, IsOk());
    return store.ok() ? *std::move(store) : nullptr;
  }

  static Partition Orders(LogStore& store, int32_t partition) {
    auto orders = store.partition("orders", partition);
    EXPECT_THAT(orders, IsOk());
    return *orders;
  }

  // Appends batches to a partition, as far as the round allows, and commits as
  // it goes; trims what is long past.
  void Work(int32_t index) {
    Partition orders = Orders(*store_, index);
    for (int64_t turn = 0; !stop_; ++turn) {
      const int64_t end = orders.visible_end();
      if (end >= limit_) {
        absl::SleepFor(absl::Milliseconds(1));
        continue;
      }
      RecordBatchBuilder batch;
      for (int64_t i = 0; i < 20; ++i) {
        const std::string value = ValueOf(index, end + i);
        ASSERT_THAT(batch.Append({.value = value}, 1000 + end + i), IsOk());
      }
      ASSERT_THAT(
          orders.Append(batch.Finish(), turn % 50 == 0 ? Durability::kSynced
                                                       : Durability::kMemory),
          IsOk());
      if (turn % 10 == 0) {
        ASSERT_THAT(store_->CommitOffset(GroupOf(index), "orders", index,
                                         end + 20, Durability::kMemory),
                    IsOk());
        committed_[index] = end + 20;
      }
      if (turn % 200 == 0) {
        ASSERT_THAT(orders.TrimBefore(std::max<int64_t>(end - 10'000, 0)),
                    IsOk());
      }
    }
  }

  // Every record that `copy` has is the one that was appended at its offset.
  static void CheckRecords(LogStore& copy, int32_t index, int64_t end_before) {
    Partition orders = Orders(copy, index);
    EXPECT_GE(orders.visible_end(), end_before);
    int64_t next = orders.log_start();
    while (next < orders.visible_end()) {
      auto view = orders.Read(next);
      ASSERT_THAT(view, IsOk());
      RecordBatches::Records records = view->records();
      while (const RecordView* record = records.Next()) {
        if (record->offset() < next) continue;
        ASSERT_EQ(record->offset(), next);
        ASSERT_EQ(record->value().value_or(""), ValueOf(index, next));
        ASSERT_EQ(record->timestamp_ms(), 1000 + next);
        ++next;
      }
      ASSERT_THAT(records.status(), IsOk());
    }
  }

  static void CheckCommit(LogStore& copy, int32_t index, int64_t before) {
    auto commit = copy.CommittedOffset(GroupOf(index), "orders", index);
    ASSERT_THAT(commit, IsOk());
    EXPECT_GE(commit->offset, before);
    EXPECT_LE(commit->offset, Orders(copy, index).visible_end());
    EXPECT_EQ(commit->offset % 20, 0);  // as it was committed, not set back
  }

  static void ExpectSound(const std::string& path) {
    auto verified = VerifyStore(path, Environment(), {});
    ASSERT_THAT(verified, IsOk());
    for (const VerifyFinding& finding : verified->findings)
      ADD_FAILURE() << finding.ToString();
    for (const PartitionVerification& partition : verified->partitions) {
      for (const VerifyFinding& finding : partition.findings)
        ADD_FAILURE() << finding.ToString();
    }
  }

  void BackUpAndCompare(ExistingCopy existing) {
    int64_t ends[kPartitions];
    int64_t commits[kPartitions];
    for (int32_t i = 0; i < kPartitions; ++i) {
      commits[i] = committed_[i];
      ends[i] = Orders(*store_, i).visible_end();
    }
    const auto backup = BackUpStore({.store = path_, .backup = backup_},
                                    {.existing = existing});
    ASSERT_THAT(backup, IsOk());
    ASSERT_NO_FATAL_FAILURE(ExpectSound(backup_));
    std::filesystem::remove_all(restored_);
    ASSERT_THAT(RestoreStore({.store = restored_, .backup = backup_}), IsOk());
    ASSERT_NO_FATAL_FAILURE(ExpectSound(restored_));
    std::unique_ptr<LogStore> copy = Open(restored_);
    ASSERT_NE(copy, nullptr);
    for (int32_t i = 0; i < kPartitions; ++i) {
      ASSERT_NO_FATAL_FAILURE(CheckRecords(*copy, i, ends[i]));
      ASSERT_NO_FATAL_FAILURE(CheckCommit(*copy, i, commits[i]));
      // It is a store like any other.
      EXPECT_THAT(Orders(*copy, i).Append({.value = "more"}), IsOk());
    }
    EXPECT_TRUE(copy->recovery_report().clean);
    EXPECT_THAT(copy->recovery_report().notes, IsEmpty());
    EXPECT_THAT(copy->Close(), IsOk());
  }

  MemoryDirectory scratch_;
  const std::string path_ = scratch_ / "store";
  const std::string backup_ = scratch_ / "backup";
  const std::string restored_ = scratch_ / "restored";
  std::unique_ptr<LogStore> store_;
  std::atomic<bool> stop_ = false;
  // Records of a partition, at most: a slow copy must not find ever more.
  std::atomic<int64_t> limit_ = 4000;
  std::atomic<int64_t> committed_[kPartitions] = {};
};

TEST_F(StoreBackupLoadTest, EachBackupHoldsWhatWasThereAndNoCommitPastIt) {
  std::vector<std::thread> workers;
  for (int32_t i = 0; i < kPartitions; ++i)
    workers.emplace_back([this, i] { Work(i); });
  for (int round = 0; round < kRounds && !HasFailure(); ++round) {
    // So that segments roll, and commits are made, before each and during it.
    for (int32_t i = 0; i < kPartitions; ++i) {
      while (committed_[i] < limit_ - 3500 && !HasFailure())
        absl::SleepFor(absl::Milliseconds(1));
    }
    limit_ = limit_ + 8000;
    BackUpAndCompare(round == 0 ? ExistingCopy::kRefuse
                                : ExistingCopy::kReplace);
  }
  stop_ = true;
  for (std::thread& worker : workers) worker.join();
  // Nothing has changed in the store for its backups' sake.
  for (int32_t i = 0; i < kPartitions; ++i)
    CheckRecords(*store_, i, committed_[i]);
  EXPECT_THAT(store_->Close(), IsOk());
  ExpectSound(path_);
}

}  // namespace
}  // namespace varve
