// SPDX-License-Identifier: Apache-2.0

// What a backup holds, what a restore makes of it, and what both refuse.

#include "varve/api/store_backup.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/backup_fixture.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"
#include "varve/api/read_only_store.h"
#include "varve/api/store_copy.h"
#include "varve/log/metadata/lock_conflict.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

using Code = absl::StatusCode;

class StoreBackupTest : public BackupFixture {
 protected:
  // Two topics with records in several segments, and a group that has read
  // some.
  void Fill() {
    CreateTopic("orders", 2);
    CreateTopic("payments");
    Append("orders", 23);
    Append("orders", 4, Durability::kSynced, 1);
    Append("payments", 9);
    Commit("billing", "orders", 17);
    Commit("billing", "payments", 9);
  }

  // The names of the .log files of a partition.
  static std::vector<std::string> LogsIn(const std::string& partition) {
    std::vector<std::string> logs;
    for (const std::string& name : NamesIn(partition)) {
      if (name.ends_with(".log")) logs.push_back(name);
    }
    return logs;
  }
};

TEST_F(StoreBackupTest, BackupOfAnOpenStoreHoldsRecordsCommitsAndConfigs) {
  Fill();
  const auto backup = BackUp();
  ASSERT_THAT(backup, IsOk());
  EXPECT_EQ(backup->path, backup_);
  EXPECT_THAT(backup->damage, IsEmpty());
  ExpectSound(backup_);
  std::unique_ptr<LogStore> restored = Restored();
  ExpectSound(restored_);
  EXPECT_EQ(RecordsOf(*restored), RecordsOf(*store_));
  EXPECT_EQ(CommitsOf(*restored), CommitsOf(*store_));
  EXPECT_THAT(CommitsOf(*restored), SizeIs(1));
  for (const TopicDescription& topic : store_->ListTopics()) {
    const auto copy = restored->DescribeTopic(topic.name);
    ASSERT_THAT(copy, IsOk());
    EXPECT_EQ(copy->id, topic.id);
    EXPECT_EQ(copy->config, topic.config);
  }
}

TEST_F(StoreBackupTest, ResultSaysWhereEachPartitionBeginsAndEnds) {
  Fill();
  ASSERT_THAT(Of("orders").TrimBefore(11), IsOk());
  const auto backup = BackUp();
  ASSERT_THAT(backup, IsOk());
  ASSERT_THAT(backup->partitions, SizeIs(4));  // one of committed offsets
  const CopiedPartition& orders = backup->partitions[1];
  EXPECT_EQ(orders.name, (TopicPartition{.topic = "orders", .partition = 0}));
  EXPECT_EQ(orders.log_start, 11);
  EXPECT_EQ(orders.end_offset, 23);
  EXPECT_EQ(orders.records, 13);  // the segment that has the log start has 10
  EXPECT_EQ(orders.segments, 3);
  EXPECT_GT(orders.copied_bytes, 0);
  EXPECT_EQ(orders.kept_bytes, 0);
}

TEST_F(StoreBackupTest, BackupOfAClosedStoreHoldsAllOfIt) {
  Fill();
  const RecordsByPartition records = RecordsOf(*store_);
  const CommitsByGroup commits = CommitsOf(*store_);
  Close();
  ASSERT_THAT(BackUp(), IsOk());
  ExpectSound(backup_);
  std::unique_ptr<LogStore> restored = Restored();
  EXPECT_EQ(RecordsOf(*restored), records);
  EXPECT_EQ(CommitsOf(*restored), commits);
}

TEST_F(StoreBackupTest, BackupOfAnEmptyStoreIsAnEmptyStore) {
  const auto backup = BackUp();
  ASSERT_THAT(backup, IsOk());
  EXPECT_THAT(backup->partitions, IsEmpty());
  ExpectSound(backup_);
  EXPECT_THAT(Restored()->ListTopics(), IsEmpty());
}

TEST_F(StoreBackupTest, SourceIsNotChanged) {
  Fill();
  Close();
  const auto before = FileSizesIn(path_);
  ASSERT_THAT(BackUp(), IsOk());
  EXPECT_EQ(FileSizesIn(path_), before);
}

TEST_F(StoreBackupTest, RecordsThatWereNeverSyncedAreInTheBackup) {
  CreateTopic("orders");
  Append("orders", 12, Durability::kMemory);
  Commit("billing", "orders", 12, Durability::kMemory);
  ASSERT_THAT(BackUp(), IsOk());
  std::unique_ptr<LogStore> restored = Restored();
  EXPECT_EQ(RecordsOf(*restored), RecordsOf(*store_));
  EXPECT_EQ(CommitsOf(*restored), CommitsOf(*store_));
  ExpectCommitsWithinRecords(*restored);
}

TEST_F(StoreBackupTest, RecordsOfASegmentWithoutANameAreInTheBackup) {
  CreateTopic("orders", 1, 128 << 10);
  const std::string large(10'000, 'x');
  Partition orders = Of("orders");
  const auto append = [&] {
    ASSERT_THAT(orders.Append({.value = large}, Durability::kMemory), IsOk());
  };
  for (int i = 0; i < 8; ++i) append();
  // The segment is half full: the next one is made ready.
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  while (orders.segment_count() == 1) append();
  ASSERT_THAT(NamesIn(path_ + "/orders-0"), Contains("ready-log"));
  ASSERT_THAT(LogsIn(path_ + "/orders-0"), SizeIs(1));
  Commit("billing", "orders", orders.visible_end(), Durability::kMemory);
  ASSERT_THAT(BackUp(), IsOk());
  ExpectSound(backup_);
  EXPECT_THAT(LogsIn(backup_ + "/orders-0"), SizeIs(2));
  std::unique_ptr<LogStore> restored = Restored();
  EXPECT_EQ(RecordsOf(*restored), RecordsOf(*store_));
  ExpectCommitsWithinRecords(*restored);
}

TEST_F(StoreBackupTest, StoreThatWasNotClosedIsBackedUpAsItsNextOpenLeavesIt) {
  CreateTopic("orders");
  Append("orders", 12, Durability::kMemory);
  const std::string crashed = scratch_ / "crashed";
  CopyStore(path_, crashed);
  // A power loss has lost a part of the last batch.
  const std::string last = Log(crashed, "orders-0", 10);
  const std::string bytes = ReadBytes(last);
  const size_t end = bytes.find_last_not_of('\0') + 1;
  WriteBytes(last, WithBitFlipped(bytes, (end - 3) * 8));
  ASSERT_THAT(BackUpStore({.store = crashed, .backup = backup_}), IsOk());
  ExpectSound(backup_);
  std::unique_ptr<LogStore> restored = Restored();
  EXPECT_THAT(RecordsOf(*restored), ElementsAre(Pair(testing::_, SizeIs(11))));
  EXPECT_EQ(RecordsOf(*restored), RecordsOf(*Open(crashed)));
}

TEST_F(StoreBackupTest, BackupIsReadWhereItIsAndNotWritten) {
  Fill();
  ASSERT_THAT(BackUp(), IsOk());
  auto reader = LogStore::OpenReadOnly(backup_);
  ASSERT_THAT(reader, IsOk());
  auto orders = (*reader)->partition("orders", 0);
  ASSERT_THAT(orders, IsOk());
  EXPECT_EQ(orders->visible_end().value_or(-1), 23);
  EXPECT_THAT(LogStore::Open(backup_, {.background = Background::kNone}),
              StatusIs(Code::kFailedPrecondition,
                       AllOf(HasSubstr(backup_), HasSubstr("varve.backup"))));
  ExpectSound(backup_);
  std::filesystem::remove(backup_ + "/varve.backup");
  EXPECT_EQ(RecordsOf(*Open(backup_)), RecordsOf(*store_));
}

TEST_F(StoreBackupTest, RestoredStoreIsAnotherIncarnationOfTheLog) {
  CreateTopic("orders");
  Append("orders", 3);
  const auto of_source = Of("orders").Stats();
  ASSERT_THAT(of_source, IsOk());
  ASSERT_THAT(BackUp(), IsOk());
  store_ = Restored();
  Append("orders", 1);
  const auto of_restored = Of("orders").Stats();
  ASSERT_THAT(of_restored, IsOk());
  ASSERT_THAT(of_restored->epochs, SizeIs(2));
  EXPECT_EQ(of_restored->epochs[0], of_source->epochs[0]);
  EXPECT_GT(of_restored->epochs[1].epoch, of_source->epochs[0].epoch);
  EXPECT_EQ(of_restored->epochs[1].start_offset, 3);
}

TEST_F(StoreBackupTest, DamageIsRefusedAndLeavesNoStore) {
  Fill();
  Close();
  Flip(Log(path_, "orders-0", 5), 100);
  EXPECT_THAT(BackUp(), StatusIs(Code::kDataLoss,
                                 AllOf(HasSubstr(Log(backup_, "orders-0", 5)),
                                       HasSubstr("position 0"),
                                       HasSubstr("in " + path_))));
  EXPECT_THAT(LogStore::OpenReadOnly(backup_),
              StatusIs(Code::kFailedPrecondition, HasSubstr("not finished")));
  EXPECT_THAT(Restore(),
              StatusIs(Code::kFailedPrecondition, HasSubstr("not finished")));
}

TEST_F(StoreBackupTest, DamageIsCopiedWhenAskedForAndTheRestIsThere) {
  Fill();
  Close();
  Flip(Log(path_, "orders-0", 5), 100);
  const StoreCopyOptions as_it_is = {.damage = DamagedSource::kCopy};
  const auto backup = BackUp(as_it_is);
  ASSERT_THAT(backup, IsOk());
  EXPECT_THAT(backup->damage, Not(IsEmpty()));
  EXPECT_THAT(backup->damage, Each(HasSubstr("orders-0")));
  const absl::Status refused = Restore().status();
  EXPECT_THAT(refused, StatusIs(Code::kDataLoss));
  EXPECT_TRUE(IsRefusedForDamage(refused));
  ASSERT_THAT(Restore(as_it_is), IsOk());
  std::unique_ptr<LogStore> restored = Open(restored_);
  auto orders = restored->partition("orders", 0);
  ASSERT_THAT(orders, IsOk());
  EXPECT_THAT(orders->Read(5), StatusIs(Code::kDataLoss));
  EXPECT_THAT(orders->Read(6), IsOk());
  EXPECT_EQ(orders->visible_end(), 23);
}

TEST_F(StoreBackupTest, LostPartitionIsLostInTheCopyToo) {
  Fill();
  Close();
  std::filesystem::remove_all(path_ + "/orders-1");
  EXPECT_THAT(BackUp(), StatusIs(Code::kDataLoss, HasSubstr("orders-1")));
  ASSERT_THAT(BackUp({.damage = DamagedSource::kCopy}), IsOk());
  ASSERT_THAT(Restore({.damage = DamagedSource::kCopy}), IsOk());
  std::unique_ptr<LogStore> restored = Open(restored_);
  EXPECT_THAT(restored->partition("orders", 1), StatusIs(Code::kDataLoss));
  EXPECT_THAT(restored->partition("orders", 0), IsOk());
}

TEST_F(StoreBackupTest, LostEpochsAndIndexesAreMadeAgain) {
  Fill();
  Close();
  std::filesystem::remove(path_ + "/orders-0/leader-epoch-checkpoint");
  std::filesystem::remove(path_ + "/orders-0/00000000000000000020.index");
  ASSERT_THAT(BackUp(), IsOk());
  ExpectSound(backup_);
  EXPECT_THAT(NamesIn(backup_ + "/orders-0"),
              AllOf(Contains("leader-epoch-checkpoint"),
                    Contains("00000000000000000020.index")));
}

TEST_F(StoreBackupTest, ReplacingKeepsSegmentsThatAreTheSame) {
  Fill();
  Close();
  ASSERT_THAT(BackUp(), IsOk());
  store_ = Open(path_);
  Append("orders", 6);
  ASSERT_THAT(store_->DeleteTopic("payments"), IsOk());
  ASSERT_THAT(Of("orders").TrimBefore(7), IsOk());
  const RecordsByPartition records = RecordsOf(*store_);
  Close();
  EXPECT_THAT(BackUp(), StatusIs(Code::kAlreadyExists, HasSubstr(backup_)));
  const auto replaced = BackUp(ReplacingWhatIsThere());
  ASSERT_THAT(replaced, IsOk());
  const CopiedPartition& orders = replaced->partitions[1];
  ASSERT_EQ(orders.name.topic, "orders");
  EXPECT_GT(orders.kept_bytes, 0);
  EXPECT_GT(orders.copied_bytes, 0);
  ExpectSound(backup_);
  EXPECT_FALSE(std::filesystem::exists(backup_ + "/payments-0"));
  EXPECT_FALSE(std::filesystem::exists(Log(backup_, "orders-0", 0)));
  EXPECT_EQ(RecordsOf(*Restored()), records);
}

TEST_F(StoreBackupTest, ReplacingMendsWhatHasBeenDamagedInTheBackup) {
  Fill();
  const RecordsByPartition records = RecordsOf(*store_);
  Close();
  ASSERT_THAT(BackUp(), IsOk());
  Flip(Log(backup_, "orders-0", 5), 100);
  ASSERT_THAT(BackUp(ReplacingWhatIsThere()), IsOk());
  ExpectSound(backup_);
  EXPECT_EQ(RecordsOf(*Restored()), records);
}

TEST_F(StoreBackupTest, BackupOfAnEarlierStateReplacesALaterOne) {
  Fill();
  const RecordsByPartition records = RecordsOf(*store_);
  ASSERT_THAT(BackUp(), IsOk());
  ASSERT_THAT(Restore(), IsOk());
  std::unique_ptr<LogStore> restored = Open(restored_);
  auto orders = restored->partition("orders", 0);
  ASSERT_THAT(orders, IsOk());
  for (int i = 0; i < 20; ++i)
    ASSERT_THAT(orders->Append({.value = "not in the backup"}), IsOk());
  const absl::Status locked = Restore(ReplacingWhatIsThere()).status();
  EXPECT_THAT(locked, StatusIs(Code::kFailedPrecondition, HasSubstr("writer")));
  EXPECT_TRUE(IsLockConflict(locked));
  ASSERT_THAT(restored->Close(), IsOk());
  EXPECT_THAT(Restore(), StatusIs(Code::kAlreadyExists, HasSubstr(restored_)));
  ASSERT_THAT(Restore(ReplacingWhatIsThere()), IsOk());
  ExpectSound(restored_);
  EXPECT_EQ(RecordsOf(*Open(restored_)), records);
}

TEST_F(StoreBackupTest, NothingOfTheWrongKindIsReplaced) {
  Fill();
  ASSERT_THAT(BackUp(), IsOk());
  Close();
  const std::string other = scratch_ / "other";
  ASSERT_THAT(Open(other)->Close(), IsOk());
  const auto stores = FileSizesIn(other);
  EXPECT_THAT(
      BackUpStore({.store = path_, .backup = other}, ReplacingWhatIsThere()),
      StatusIs(Code::kFailedPrecondition, HasSubstr("is a store")));
  const std::string second = scratch_ / "second";
  ASSERT_THAT(BackUpStore({.store = path_, .backup = second}), IsOk());
  EXPECT_THAT(RestoreStore({.store = second, .backup = backup_},
                           ReplacingWhatIsThere()),
              StatusIs(Code::kFailedPrecondition, HasSubstr("is a backup")));
  EXPECT_THAT(RestoreStore({.store = restored_, .backup = other}),
              StatusIs(Code::kFailedPrecondition, HasSubstr("no backup")));
  EXPECT_EQ(FileSizesIn(other), stores);
  ExpectSound(backup_);
  ExpectSound(path_);
}

TEST_F(StoreBackupTest, AnotherProgramsDirectoryIsNotTouched) {
  Fill();
  std::filesystem::create_directory(backup_);
  WriteBytes(backup_ + "/letter.txt", "dear");
  EXPECT_THAT(BackUp(ReplacingWhatIsThere()),
              StatusIs(Code::kFailedPrecondition, HasSubstr("letter.txt")));
  EXPECT_THAT(NamesIn(backup_), ElementsAre("letter.txt"));
}

TEST_F(StoreBackupTest, SourceThatIsNotThereIsNotFound) {
  EXPECT_THAT(BackUpStore({.store = scratch_ / "none", .backup = backup_}),
              StatusIs(Code::kNotFound, HasSubstr("none")));
  EXPECT_THAT(RestoreStore({.store = restored_, .backup = scratch_ / "none"}),
              StatusIs(Code::kNotFound, HasSubstr("none")));
  EXPECT_FALSE(std::filesystem::exists(backup_));
  EXPECT_FALSE(std::filesystem::exists(restored_));
}

TEST_F(StoreBackupTest, ProgressReachesWhatWasCopied) {
  Fill();
  int64_t last = 0;
  StoreCopyOptions options;
  options.progress = [&last](int64_t done, int64_t total) {
    EXPECT_GE(done, last);
    EXPECT_GE(total, done);
    last = done;
  };
  const auto backup = BackUp(options);
  ASSERT_THAT(backup, IsOk());
  int64_t copied = 0;
  for (const CopiedPartition& partition : backup->partitions)
    copied += partition.copied_bytes;
  EXPECT_EQ(last, copied);
}

}  // namespace
}  // namespace varve
