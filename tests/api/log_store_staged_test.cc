// SPDX-License-Identifier: Apache-2.0

// A store on a file system that takes new blocks for every write: its files are
// written by pwrite(2), and everything is as on the others.

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/scratch_directory.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"
#include "varve/api/read_only_store.h"
#include "varve/log/system/file_system_type.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

using Code = absl::StatusCode;
using Repeat = FaultyFileSystem::Repeat;

class LogStoreStagedTest : public testing::Test {
 protected:
  LogStoreStagedTest() { files_.PretendType(FileSystemType::kBtrfs); }

  void Open(const std::string& path) {
    auto opened = LogStore::Open(path, {.environment = {.files = &files_}});
    ASSERT_THAT(opened, IsOk());
    store_ = *std::move(opened);
  }
  void CreateTopic(int64_t segment_bytes) {
    TopicConfig config;
    config.log.segment_bytes = segment_bytes;
    ASSERT_THAT(store_->CreateTopic("orders", config), IsOk());
  }
  Partition Orders() { return *store_->partition("orders", 0); }

  static std::string ValueAt(int64_t offset) {
    return absl::StrCat("value ", offset, std::string(200, 'v'));
  }
  absl::Status Append(Durability durability) {
    const std::string value = ValueAt(Orders().visible_end());
    return Orders().Append({.value = value}, durability).status();
  }
  // Every record that is there is the one that was appended there.
  void ExpectRecords(int64_t count) {
    auto records = ReadAll(Orders());
    ASSERT_THAT(records, IsOk());
    ASSERT_THAT(*records, SizeIs(static_cast<size_t>(count)));
    for (const auto& [offset, record] : *records) {
      ASSERT_EQ(record.value, ValueAt(offset));
    }
  }

  ScratchDirectory scratch_;
  const std::string path_ = scratch_ / "store";
  FaultyFileSystem files_;
  std::unique_ptr<LogStore> store_;
};

TEST_F(LogStoreStagedTest, RecordsOfManySegmentsAreThereAfterACleanReopen) {
  Open(path_);
  CreateTopic(64 << 10);
  for (int i = 0; i < 3000; ++i) {
    ASSERT_THAT(
        Append(i % 500 == 0 ? Durability::kSynced : Durability::kMemory),
        IsOk());
  }
  EXPECT_GT(Orders().segment_count(), 8);
  ExpectRecords(3000);
  ASSERT_THAT(store_->Close(), IsOk());
  store_ = nullptr;
  Open(path_);
  EXPECT_TRUE(store_->recovery_report().clean);
  ExpectRecords(3000);
  ASSERT_THAT(Append(Durability::kSynced), IsOk());
  ExpectRecords(3001);
  EXPECT_THAT(files_.calls(),
              Not(Contains(HasSubstr("Allocate " + path_ + "/orders"))));
}

TEST_F(LogStoreStagedTest, AcknowledgedRecordsSurviveAKill) {
  Open(path_);
  CreateTopic(256 << 10);
  for (int i = 0; i < 2000; ++i) {
    ASSERT_THAT(Append(Durability::kMemory), IsOk());
  }
  ASSERT_THAT(Orders().Sync(), IsOk());  // work that follows appends is done
  for (int i = 0; i < 100; ++i) {
    ASSERT_THAT(Append(Durability::kMemory), IsOk());
  }
  const std::string copy = scratch_ / "killed";
  CopyStore(files_, path_, copy);
  store_ = nullptr;
  Open(copy);
  EXPECT_FALSE(store_->recovery_report().clean);
  ExpectRecords(2100);
  ASSERT_THAT(Append(Durability::kSynced), IsOk());
  ExpectRecords(2101);
}

TEST_F(LogStoreStagedTest, FullDiskRefusesAppendsAndHeals) {
  Open(path_);
  CreateTopic(1 << 20);
  ASSERT_THAT(Append(Durability::kSynced), IsOk());
  files_.LimitSpace(10'000);
  absl::Status refused;
  int64_t appended = 1;
  for (; refused.ok(); ++appended) refused = Append(Durability::kMemory);
  --appended;
  EXPECT_THAT(refused, StatusIs(Code::kResourceExhausted));
  EXPECT_EQ(Orders().visible_end(), appended);
  EXPECT_THAT(Append(Durability::kMemory), StatusIs(Code::kResourceExhausted));
  ExpectRecords(appended);
  files_.UnlimitSpace();
  EXPECT_THAT(Append(Durability::kSynced), IsOk());
  ExpectRecords(appended + 1);
  EXPECT_THAT(store_->Close(), IsOk());
}

TEST_F(LogStoreStagedTest, WriteThatFailsPoisonsThePartition) {
  Open(path_);
  CreateTopic(1 << 20);
  ASSERT_THAT(Append(Durability::kSynced), IsOk());
  files_.FailCallsNamed("File::WriteAt", EIO, Repeat::kOnce);
  EXPECT_THAT(Append(Durability::kMemory), Not(IsOk()));
  EXPECT_THAT(Append(Durability::kMemory), Not(IsOk()));
  ExpectRecords(1);
}

TEST_F(LogStoreStagedTest, ReadersAndASecondStoreFollowTheAppends) {
  constexpr int64_t kRecords = 20'000;
  Open(path_);
  CreateTopic(1 << 20);
  const Partition orders = Orders();
  std::atomic<bool> failed = false;
  std::thread reader([&] {
    for (int64_t offset = 0; offset < kRecords && !failed;) {
      if (!orders.WaitFor(offset, absl::Now() + absl::Seconds(60)).ok()) break;
      auto view = orders.Read(offset);
      if (!view.ok()) break;
      RecordBatches::Records records = view->records();
      while (const RecordView* record = records.Next()) {
        if (record->value() != ValueAt(record->offset())) failed = true;
      }
      offset = view->next_offset();
    }
  });
  for (int64_t i = 0; i < kRecords; ++i) {
    ASSERT_THAT(Append(Durability::kMemory), IsOk());
  }
  reader.join();
  EXPECT_FALSE(failed);
  ASSERT_THAT(Orders().Sync(), IsOk());  // names a segment that was ready
  auto beside = LogStore::OpenReadOnly(path_);
  ASSERT_THAT(beside, IsOk());
  auto partition = (*beside)->partition("orders", 0);
  ASSERT_THAT(partition, IsOk());
  int64_t offset = 0;
  while (offset < kRecords) {
    auto view = partition->Read(offset);
    ASSERT_THAT(view, IsOk());
    ASSERT_GT(view->next_offset(), offset);
    offset = view->next_offset();
  }
  EXPECT_EQ(offset, kRecords);
}

}  // namespace
}  // namespace varve
