// SPDX-License-Identifier: Apache-2.0

// Backups of a live store, made file by file as docs/operating.md says.

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/api/log_store.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/recovery/tail_recovery.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::HasSubstr;

// Copies as cp does: front to back, a piece at a time, while the file may
// change. A file that is deleted meanwhile is left out.
void CopyFile(const std::filesystem::path& from,
              const std::filesystem::path& to) {
  std::ifstream in(from, std::ios::binary);
  if (!in.is_open()) return;
  std::ofstream out(to, std::ios::binary);
  char piece[4096];
  while (in.read(piece, sizeof piece), in.gcount() > 0) {
    out.write(piece, in.gcount());
  }
}

std::string Value(int64_t offset) { return absl::StrCat("value ", offset); }

class LiveCopyTest : public testing::Test {
 protected:
  static constexpr int kPartitions = 2;

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

  static Partition Orders(LogStore& store, int32_t index) {
    auto partition = store.partition("orders", index);
    EXPECT_THAT(partition, IsOk());
    return *partition;
  }

  static void Append(Partition partition, Durability durability) {
    const std::string value = Value(partition.visible_end());
    ASSERT_THAT(partition.Append({.value = value}, durability), IsOk());
  }

  void CopyTopLevel(const std::string& name) {
    std::filesystem::create_directories(copy_);
    CopyFile(path_ + "/" + name, copy_ + "/" + name);
  }

  // All of a partition's files; the epochs last.
  void CopyPartition(int32_t index) {
    const std::string name = absl::StrCat("/orders-", index);
    std::filesystem::create_directories(copy_ + name);
    const std::string epochs = "leader-epoch-checkpoint";
    for (const std::string& file : NamesIn(path_ + name)) {
      if (file != epochs) {
        CopyFile(path_ + name + "/" + file, copy_ + name + "/" + file);
      }
    }
    CopyFile(path_ + name + "/" + epochs, copy_ + name + "/" + epochs);
  }

  // The order of docs/operating.md.
  void CopyLiveStore() {
    CopyTopLevel("varve.topics");
    CopyTopLevel("varve.checkpoint");
    for (int32_t i = 0; i < kPartitions; ++i) CopyPartition(i);
  }

  // Every record of the copy is the one that was appended at its offset, and
  // those below `end` are all there.
  static void CheckRecords(Partition partition, int64_t end) {
    int64_t next = partition.log_start();
    while (next < partition.visible_end()) {
      auto view = partition.Read(next);
      ASSERT_THAT(view, IsOk());
      RecordBatches::Records records = view->records();
      while (const RecordView* record = records.Next()) {
        ASSERT_EQ(record->offset(), next);
        ASSERT_EQ(record->value().value_or(""), Value(next));
        ++next;
      }
      ASSERT_THAT(records.status(), IsOk());
    }
    EXPECT_GE(next, end);
  }

  static bool HasCorruption(const LogStore& store) {
    for (const PartitionRecoveryReport& partition :
         store.recovery_report().partitions) {
      for (const RecoveryFinding& finding : partition.findings) {
        if (finding.action == RecoveryAction::kKeepDamaged) return true;
      }
    }
    return false;
  }

  ScratchDirectory scratch_;
  const std::string path_ = scratch_ / "store";
  const std::string copy_ = scratch_ / "copy";
  std::unique_ptr<LogStore> store_;
};

TEST_F(LiveCopyTest, CopyOfAStoreThatIsWrittenToHoldsAllThatWasDurable) {
  std::atomic<bool> stop = false;
  // Records of a round at most: a slow copy must not find ever more to copy.
  std::atomic<int64_t> limit = 0;
  std::vector<std::thread> writers;
  for (int32_t i = 0; i < kPartitions; ++i) {
    writers.emplace_back([this, i, &stop, &limit] {
      Partition partition = Orders(*store_, i);
      while (!stop) {
        const int64_t end = partition.visible_end();
        if (end >= limit) {
          absl::SleepFor(absl::Milliseconds(1));
        } else {
          Append(partition,
                 end % 500 == 0 ? Durability::kSynced : Durability::kMemory);
        }
      }
    });
  }
  for (int round = 0; round < 8; ++round) {
    std::filesystem::remove_all(copy_);
    // So that segments are rolled between the copies, too.
    const int64_t begin = Orders(*store_, 0).durable_end();
    limit = begin + 20'000;
    while (Orders(*store_, 0).durable_end() < begin + 1000) {
      absl::SleepFor(absl::Milliseconds(1));
    }
    int64_t durable[kPartitions];
    for (int32_t i = 0; i < kPartitions; ++i) {
      durable[i] = Orders(*store_, i).durable_end();
    }
    CopyLiveStore();
    std::unique_ptr<LogStore> copy = Open(copy_);
    ASSERT_NE(copy, nullptr);
    EXPECT_FALSE(HasCorruption(*copy)) << copy->recovery_report().ToString();
    for (int32_t i = 0; i < kPartitions; ++i) {
      CheckRecords(Orders(*copy, i), durable[i]);
    }
    // It is a store like any other.
    Append(Orders(*copy, 0), Durability::kSynced);
    EXPECT_THAT(copy->Close(), IsOk());
  }
  stop = true;
  for (std::thread& writer : writers) writer.join();
  EXPECT_THAT(store_->Close(), IsOk());
}

TEST_F(LiveCopyTest, CheckpointThatIsCopiedLastMakesACopyLookDamaged) {
  for (int i = 0; i < 10; ++i) Append(Orders(*store_, 0), Durability::kSynced);
  for (int32_t i = 0; i < kPartitions; ++i) CopyPartition(i);
  for (int i = 0; i < 10; ++i) Append(Orders(*store_, 0), Durability::kSynced);
  ASSERT_THAT(store_->Close(), IsOk());  // writes the checkpoint
  CopyTopLevel("varve.topics");
  CopyTopLevel("varve.checkpoint");
  std::unique_ptr<LogStore> copy = Open(copy_);
  ASSERT_NE(copy, nullptr);
  EXPECT_TRUE(HasCorruption(*copy));
  EXPECT_THAT(Orders(*copy, 0).Read(15), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(LiveCopyTest, TrimDuringACopyIsReportedAndATrimOfTheCopyHealsIt) {
  while (Orders(*store_, 0).segment_count() < 4) {
    Append(Orders(*store_, 0), Durability::kMemory);
  }
  ASSERT_THAT(Orders(*store_, 0).Sync(), IsOk());
  const int64_t end = Orders(*store_, 0).durable_end();
  CopyTopLevel("varve.topics");
  CopyTopLevel("varve.checkpoint");
  ASSERT_THAT(Orders(*store_, 0).TrimBefore(end - 1), IsOk());
  for (int32_t i = 0; i < kPartitions; ++i) CopyPartition(i);
  {
    std::unique_ptr<LogStore> copy = Open(copy_);
    ASSERT_NE(copy, nullptr);
    EXPECT_TRUE(HasCorruption(*copy));
    EXPECT_THAT(Orders(*copy, 0).Read(0),
                StatusIs(absl::StatusCode::kDataLoss,
                         HasSubstr("the next readable offset is")));
    ASSERT_THAT(Orders(*copy, 0).TrimBefore(end - 1), IsOk());
    CheckRecords(Orders(*copy, 0), end);
  }
  std::filesystem::remove(copy_ + "/.kafka_cleanshutdown");
  std::unique_ptr<LogStore> again = Open(copy_);
  ASSERT_NE(again, nullptr);
  EXPECT_FALSE(HasCorruption(*again));
  CheckRecords(Orders(*again, 0), end);
}

TEST_F(LiveCopyTest, TopicMadeDuringACopyIsNotInItAndHarmsNothing) {
  Append(Orders(*store_, 0), Durability::kSynced);
  CopyTopLevel("varve.topics");
  CopyTopLevel("varve.checkpoint");
  ASSERT_THAT(store_->CreateTopic("late"), IsOk());
  std::filesystem::copy(path_ + "/late-0", copy_ + "/late-0",
                        std::filesystem::copy_options::recursive);
  for (int32_t i = 0; i < kPartitions; ++i) CopyPartition(i);
  std::unique_ptr<LogStore> copy = Open(copy_);
  ASSERT_NE(copy, nullptr);
  EXPECT_THAT(copy->partition("late", 0),
              StatusIs(absl::StatusCode::kNotFound));
  CheckRecords(Orders(*copy, 0), 1);
}

}  // namespace
}  // namespace varve
