// SPDX-License-Identifier: Apache-2.0

// A store changes at a certain moment of its backup: between two of its calls.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/backup_fixture.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"
#include "varve/api/store_backup.h"
#include "varve/log/metadata/file_names.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const TopicPartition kOrders = {.topic = "orders", .partition = 0};

class ChangingStoreBackupTest : public BackupFixture {
 protected:
  // Offsets 0 to 22, in segments of five.
  void SetUp() override {
    BackupFixture::SetUp();
    CreateTopic("orders");
    CreateTopic("payments");
    Append("orders", 23);
    Append("payments", 9);
    Commit("billing", "orders", 17);
    Commit("billing", "payments", 9);
  }

  // Makes a backup, with `change` made before its first call of this text.
  void BackUpWith(const std::string& call,
                  const std::function<void()>& change) {
    bool made = false;
    files_.RunBefore(call, [&] {
      made = true;
      change();
    });
    ASSERT_THAT(BackUp({}, &files_), IsOk());
    ASSERT_TRUE(made) << call;
    ExpectSound(backup_);
  }

  // The call that opens a segment of orders, to copy it.
  std::string OpenOf(int64_t base_offset) const {
    return absl::StrCat("Directory::OpenFile ", path_, "/orders-0/",
                        SegmentFileName(base_offset, SegmentFileKind::kLog));
  }

  // What was appended from `begin` to `end`, by a reader of the source.
  StoredRecords Orders(int64_t begin, int64_t end) {
    auto records =
        ReadFrom(Of("orders"), begin, {.level = ReadLevel::kVisible});
    EXPECT_THAT(records, IsOk());
    records->resize(static_cast<size_t>(end - begin));
    return *records;
  }

  FaultyFileSystem files_;
};

TEST_F(ChangingStoreBackupTest,
       SegmentsThatAreTrimmedAndThoseBeforeAreLeftOut) {
  const StoredRecords kept = Orders(10, 23);
  BackUpWith(OpenOf(5),
             [&] { ASSERT_THAT(Of("orders").TrimBefore(12), IsOk()); });
  std::unique_ptr<LogStore> restored = Restored();
  EXPECT_EQ(RecordsOf(*restored)[kOrders], kept);
  ExpectCommitsWithinRecords(*restored);
}

TEST_F(ChangingStoreBackupTest, LogThatIsTrimmedAsAWholeIsCopiedAnew) {
  BackUpWith(OpenOf(0), [&] {
    Append("orders", 7);
    ASSERT_THAT(Of("orders").TrimBefore(26), IsOk());
  });
  std::unique_ptr<LogStore> restored = Restored();
  EXPECT_EQ(RecordsOf(*restored)[kOrders], Orders(26, 30));
  ExpectCommitsWithinRecords(*restored);
}

TEST_F(ChangingStoreBackupTest, RecordsAppendedMeanwhileMayBeInIt) {
  // Segment 20 is filled, 25 and 30 are begun.
  BackUpWith(OpenOf(20), [&] { Append("orders", 9, Durability::kMemory); });
  const StoredRecords copied = RecordsOf(*Restored())[kOrders];
  ASSERT_GE(copied.size(), size_t{23});
  EXPECT_EQ(copied, Orders(0, static_cast<int64_t>(copied.size())));
}

TEST_F(ChangingStoreBackupTest,
       OffsetsCommittedBeforeTheyAreCopiedHaveRecords) {
  BackUpWith("Directory::OpenDirectory " + path_ + "/__consumer_offsets-0",
             [&] {
               Append("orders", 9, Durability::kMemory);
               Commit("billing", "orders", 32, Durability::kMemory);
             });
  std::unique_ptr<LogStore> restored = Restored();
  ExpectCommitsWithinRecords(*restored);
  EXPECT_EQ(std::get<0>(CommitsOf(*restored)["billing"][kOrders]), 32);
}

TEST_F(ChangingStoreBackupTest, OffsetsCommittedAfterTheyAreCopiedAreNotInIt) {
  BackUpWith(OpenOf(0), [&] {
    Append("orders", 9, Durability::kMemory);
    Commit("billing", "orders", 32, Durability::kMemory);
  });
  std::unique_ptr<LogStore> restored = Restored();
  ExpectCommitsWithinRecords(*restored);
  EXPECT_EQ(std::get<0>(CommitsOf(*restored)["billing"][kOrders]), 17);
}

TEST_F(ChangingStoreBackupTest, TopicThatIsDeletedIsLeftOutWithItsOffsets) {
  BackUpWith(OpenOf(5), [&] {
    ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
    ASSERT_THAT(store_->RunMaintenance(), IsOk());
  });
  EXPECT_FALSE(std::filesystem::exists(backup_ + "/orders-0"));
  std::unique_ptr<LogStore> restored = Restored();
  EXPECT_EQ(RecordsOf(*restored), RecordsOf(*store_));
  EXPECT_EQ(CommitsOf(*restored), CommitsOf(*store_));
  EXPECT_THAT(CommitsOf(*restored)["billing"], SizeIs(1));
  EXPECT_THAT(restored->recovery_report().notes, IsEmpty());
}

TEST_F(ChangingStoreBackupTest, TopicOfWhichAPartIsDeletedAlreadyIsLeftOut) {
  TopicConfig config;
  config.log.file_delete_delay_ms = 60000;
  ASSERT_THAT(store_->CreateTopic("brief", config), IsOk());
  Append("brief", 3, Durability::kMemory);
  BackUpWith("Directory::List " + path_ + "/brief-0", [&] {
    ASSERT_THAT(store_->DeleteTopic("brief"), IsOk());
    // The deletion is at work, and has removed the segments first.
    for (const std::string& directory : NamesIn(path_, "brief-0")) {
      for (const std::string& name : NamesIn(path_ + "/" + directory, "0000"))
        std::filesystem::remove(path_ + "/" + directory + "/" + name);
    }
  });
  EXPECT_FALSE(std::filesystem::exists(backup_ + "/brief-0"));
  std::unique_ptr<LogStore> restored = Restored();
  EXPECT_EQ(restored->DescribeTopic("brief").status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(RecordsOf(*restored), RecordsOf(*store_));
}

TEST_F(ChangingStoreBackupTest, TopicsThatAreGoneMakeRoomForTheOthers) {
  CreateTopic("old");
  Append("old", 6);
  ASSERT_THAT(BackUp(), IsOk());
  ASSERT_THAT(store_->DeleteTopic("old"), IsOk());
  ASSERT_THAT(BackUp(ReplacingWhatIsThere(), &files_), IsOk());
  const std::vector<std::string> calls = files_.calls();
  const auto first = [&](const std::string& prefix) {
    return std::find_if(calls.begin(), calls.end(),
                        [&](const std::string& call) {
                          return call.starts_with(prefix);
                        }) -
           calls.begin();
  };
  EXPECT_LT(first("Directory::RemoveDirectory " + backup_ + "/old-0"),
            first("Directory::OpenDirectory " + path_ + "/orders-0"));
  ExpectSound(backup_);
  EXPECT_EQ(RecordsOf(*Restored()), RecordsOf(*store_));
}

TEST_F(ChangingStoreBackupTest, TopicThatIsMadeAnewIsNotMixedWithTheOldOne) {
  BackUpWith(OpenOf(5), [&] {
    ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
    ASSERT_THAT(store_->RunMaintenance(), IsOk());
    CreateTopic("orders");
    Append("orders", 3);
  });
  // It was made after the topics were looked up.
  std::unique_ptr<LogStore> restored = Restored();
  EXPECT_EQ(RecordsOf(*restored).count(kOrders), size_t{0});
  EXPECT_THAT(restored->recovery_report().notes, IsEmpty());
}

TEST_F(ChangingStoreBackupTest, TopicMadeWhileOffsetsAreCopiedIsInIt) {
  BackUpWith("Directory::OpenDirectory " + path_ + "/__consumer_offsets-0",
             [&] {
               CreateTopic("late");
               Append("late", 3);
               Commit("billing", "late", 3);
             });
  std::unique_ptr<LogStore> restored = Restored();
  EXPECT_EQ(RecordsOf(*restored), RecordsOf(*store_));
  ExpectCommitsWithinRecords(*restored);
}

TEST_F(ChangingStoreBackupTest, PartitionsAddedMeanwhileAreNotInIt) {
  BackUpWith(OpenOf(5),
             [&] { ASSERT_THAT(store_->AddPartitions("orders", 3), IsOk()); });
  const auto orders = Restored()->DescribeTopic("orders");
  ASSERT_THAT(orders, IsOk());
  EXPECT_EQ(orders->config.partitions, 1);
}

TEST_F(ChangingStoreBackupTest, WriterThatIsFollowedByAnotherOneIsCopiedAnew) {
  BackUpWith(OpenOf(5), [&] {
    ASSERT_THAT(store_->Close(), IsOk());
    std::filesystem::remove(path_ + "/.kafka_cleanshutdown");
    store_ = Open(path_);
    Append("orders", 2);
  });
  std::unique_ptr<LogStore> restored = Restored();
  EXPECT_EQ(RecordsOf(*restored), RecordsOf(*store_));
  EXPECT_EQ(CommitsOf(*restored), CommitsOf(*store_));
}

TEST_F(ChangingStoreBackupTest, FilesRemovedFromTheCopyAreNoDeletedTopic) {
  files_.RunBefore("Directory::OpenFile " + backup_ + "/orders-0/sealed-",
                   [&] { std::filesystem::remove_all(backup_ + "/orders-0"); });
  EXPECT_FALSE(BackUp({}, &files_).ok());
  ASSERT_THAT(BackUp(), IsOk());
  EXPECT_EQ(RecordsOf(*Restored()), RecordsOf(*store_));
}

}  // namespace
}  // namespace varve
