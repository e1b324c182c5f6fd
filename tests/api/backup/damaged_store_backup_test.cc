// SPDX-License-Identifier: Apache-2.0

// Backups of damaged stores: what is said, and what is left of an earlier
// backup in the same place.

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
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
#include "varve/api/store_backup.h"
#include "varve/log/metadata/file_names.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using Code = absl::StatusCode;
using Repeat = FaultyFileSystem::Repeat;

class DamagedStoreBackupTest : public BackupFixture {
 protected:
  // Offsets 0 to 22, in segments of five, closed; and a backup of that.
  void BackUpClosedStore() {
    CreateTopic("orders");
    Append("orders", 23);
    records_ = RecordsOf(*store_);
    Close();
    ASSERT_THAT(BackUp(), IsOk());
  }

  // Offsets 0 to 11, in segments of five, of a store whose writer was killed
  // before it synced anything.
  std::string CrashedStore() {
    CreateTopic("orders");
    Append("orders", 12, Durability::kMemory);
    std::string crashed = scratch_ / "crashed";
    CopyStore(path_, crashed);
    return crashed;
  }

  std::string Displaced(int64_t base_offset) const {
    return backup_ + "/orders-0/" + DisplacedFileName(base_offset);
  }

  std::vector<std::string> DisplacedFiles() const {
    return NamesIn(backup_ + "/orders-0", "displaced-");
  }

  RecordsByPartition records_;
};

TEST_F(DamagedStoreBackupTest, SegmentThatTheStoreHasLostIsKeptAndMendsIt) {
  BackUpClosedStore();
  const std::string lost = Log(path_, "orders-0", 5);
  const std::string good = ReadBytes(lost);
  std::filesystem::remove(lost);
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(BackUp(ReplacingWhatIsThere()),
                StatusIs(Code::kDataLoss, HasSubstr("orders-0")));
    EXPECT_EQ(ReadBytes(Displaced(5)), good);
  }
  WriteBytes(lost, ReadBytes(Displaced(5)));
  ASSERT_THAT(BackUp(ReplacingWhatIsThere()), IsOk());
  ExpectSound(backup_);
  EXPECT_THAT(DisplacedFiles(), IsEmpty());
  EXPECT_EQ(RecordsOf(*Restored()), records_);
}

TEST_F(DamagedStoreBackupTest, DamageElsewhereCostsNoGoodSegment) {
  BackUpClosedStore();
  const std::string good = ReadBytes(Log(backup_, "orders-0", 5));
  const std::string good_last = ReadBytes(Log(backup_, "orders-0", 20));
  // That of the one is seen; the other is kept, and not looked at.
  Flip(Log(path_, "orders-0", 20), 100);
  Flip(Log(path_, "orders-0", 5), 100);
  EXPECT_THAT(BackUp(ReplacingWhatIsThere()), StatusIs(Code::kDataLoss));
  EXPECT_EQ(ReadBytes(Log(backup_, "orders-0", 5)), good);
  EXPECT_EQ(ReadBytes(Displaced(20)), good_last);
  EXPECT_NE(ReadBytes(Log(backup_, "orders-0", 20)), good_last);
}

TEST_F(DamagedStoreBackupTest, DiskErrorOfTheStoreCostsNoGoodSegment) {
  BackUpClosedStore();
  const std::string good = ReadBytes(Log(backup_, "orders-0", 20));
  FaultyFileSystem files;
  files.FailCallsNamed("File::ReadAt " + Log(path_, "orders-0", 20), EIO,
                       Repeat::kForever);
  EXPECT_THAT(BackUp(ReplacingWhatIsThere(), &files),
              StatusIs(Code::kUnknown, HasSubstr(Log(path_, "orders-0", 20))));
  EXPECT_EQ(ReadBytes(Log(backup_, "orders-0", 20)), good);
}

TEST_F(DamagedStoreBackupTest, LastGoodSegmentsAreThereAfterAnyFailure) {
  BackUpClosedStore();
  const std::string good = ReadBytes(Log(backup_, "orders-0", 5));
  const std::string good_last = ReadBytes(Log(backup_, "orders-0", 20));
  std::filesystem::remove(Log(path_, "orders-0", 5));
  Flip(Log(path_, "orders-0", 20), 100);
  const std::string saved = scratch_ / "saved";
  CopyStore(backup_, saved);
  const auto is_there = [&](int64_t base_offset, const std::string& bytes) {
    for (const std::string& path :
         {Log(backup_, "orders-0", base_offset), Displaced(base_offset)}) {
      if (std::filesystem::exists(path) && ReadBytes(path) == bytes)
        return true;
    }
    return false;
  };
  int failures = 0;
  for (int64_t i = 0;; ++i) {
    SCOPED_TRACE(absl::StrCat("call ", i));
    CopyStore(saved, backup_);
    FaultyFileSystem files;
    files.FailCall(i, EIO, Repeat::kForever);
    EXPECT_FALSE(BackUp(ReplacingWhatIsThere(), &files).ok());
    EXPECT_TRUE(is_there(5, good));
    EXPECT_TRUE(is_there(20, good_last));
    EXPECT_FALSE(BackUp(ReplacingWhatIsThere()).ok());
    EXPECT_TRUE(is_there(5, good));
    EXPECT_TRUE(is_there(20, good_last));
    if (files.call_count() <= i || HasFailure()) break;
    ++failures;
  }
  EXPECT_GT(failures, 50);
}

TEST_F(DamagedStoreBackupTest, SegmentPutAsideStaysBesideDamageThatIsCopied) {
  BackUpClosedStore();
  const std::string good = ReadBytes(Log(backup_, "orders-0", 20));
  Flip(Log(path_, "orders-0", 20), 100);
  const auto backup = BackUp(
      {.existing = ExistingCopy::kReplace, .damage = DamagedSource::kCopy});
  ASSERT_THAT(backup, IsOk());
  EXPECT_EQ(ReadBytes(Displaced(20)), good);
  EXPECT_THAT(backup->damage, Contains(HasSubstr(Displaced(20))));
  EXPECT_THAT(backup->damage.front(), HasSubstr(Log(backup_, "orders-0", 20)));
}

TEST_F(DamagedStoreBackupTest, ListOfDamageSaysThatItWasCut) {
  CreateTopic("orders", 1, 16 << 20);
  Append("orders", 2300, Durability::kMemory);
  Close();
  // Every other batch.
  const std::string log = Log(path_, "orders-0", 0);
  std::string bytes = ReadBytes(log);
  const size_t size = bytes.size() / 2300;
  for (size_t at = size / 2; at < bytes.size(); at += 2 * size)
    bytes = WithBitFlipped(std::move(bytes), at * 8);
  WriteBytes(log, bytes);
  const auto backup = BackUp({.damage = DamagedSource::kCopy});
  ASSERT_THAT(backup, IsOk());
  EXPECT_GE(backup->damage.size(), size_t{1000});
  EXPECT_THAT(backup->damage, Contains(HasSubstr("the list ends here")));
}

TEST_F(DamagedStoreBackupTest, BadBatchBeforeWholeOnesIsDamageAlsoIfNotSynced) {
  const std::string crashed = CrashedStore();
  Flip(Log(crashed, "orders-0", 5), 100);
  const BackupPaths paths = {.store = crashed, .backup = backup_};
  EXPECT_THAT(
      BackUpStore(paths),
      StatusIs(Code::kDataLoss, AllOf(HasSubstr(Log(backup_, "orders-0", 5)),
                                      HasSubstr("position 0"))));
  const auto copied = BackUpStore(paths, {.damage = DamagedSource::kCopy});
  ASSERT_THAT(copied, IsOk());
  EXPECT_THAT(copied->damage, Contains(HasSubstr("cut-")));
  EXPECT_THAT(NamesIn(backup_ + "/orders-0", "cut-"), Not(IsEmpty()));
  ASSERT_THAT(copied->partitions, SizeIs(1));
  EXPECT_EQ(copied->partitions[0].end_offset, 5);
}

TEST_F(DamagedStoreBackupTest, BadBatchIsDamageAlsoWithoutACheckpoint) {
  CreateTopic("orders");
  Append("orders", 12);
  Close();
  for (const char* name :
       {"/varve.checkpoint", "/recovery-point-offset-checkpoint",
        "/log-start-offset-checkpoint"}) {
    std::filesystem::remove(path_ + name);
  }
  Flip(Log(path_, "orders-0", 5), 100);
  EXPECT_THAT(BackUp(), StatusIs(Code::kDataLoss,
                                 HasSubstr(Log(backup_, "orders-0", 5))));
}

TEST_F(DamagedStoreBackupTest, DamagedReadySegmentIsDamage) {
  const std::string crashed = CrashedStore();
  // The last segment had no name yet.
  const std::string ready = crashed + "/orders-0/ready-log";
  std::filesystem::rename(Log(crashed, "orders-0", 10), ready);
  const BackupPaths paths = {.store = crashed, .backup = backup_};
  ASSERT_THAT(BackUpStore(paths), IsOk());
  ExpectSound(backup_);
  Flip(ready, 100);
  EXPECT_THAT(BackUpStore(paths, ReplacingWhatIsThere()),
              StatusIs(Code::kDataLoss, HasSubstr("ready-log")));
}

TEST_F(DamagedStoreBackupTest, BatchThatWasJustBeingWrittenIsNoDamage) {
  const std::string live = CrashedStore();
  const std::string log = Log(live, "orders-0", 5);
  const std::string whole = ReadBytes(log);
  Flip(log, 300);  // in the second batch
  FaultyFileSystem files;
  // Segment 5 is copied by then, and not judged.
  bool is_written = false;
  files.RunBefore("Directory::OpenFile " + Log(live, "orders-0", 10), [&] {
    is_written = true;
    WriteBytes(log, whole);
  });
  const auto backup =
      BackUpStore({.store = live, .backup = backup_}, {}, {.files = &files});
  ASSERT_THAT(backup, IsOk());
  EXPECT_TRUE(is_written);
  EXPECT_THAT(backup->damage, IsEmpty());
  ASSERT_THAT(backup->partitions, SizeIs(1));
  EXPECT_EQ(backup->partitions[0].end_offset, 6);
  EXPECT_THAT(NamesIn(backup_ + "/orders-0", "cut-"), IsEmpty());
  ExpectSound(backup_);
}

TEST_F(DamagedStoreBackupTest, BytesThatAreCopiedOnceMoreCountOnce) {
  BackUpClosedStore();
  Flip(Log(backup_, "orders-0", 5), 100);
  int64_t last = 0;
  StoreCopyOptions options = ReplacingWhatIsThere();
  options.progress = [&last](int64_t done, int64_t total) {
    EXPECT_GT(done, last);
    EXPECT_GE(total, done);
    last = done;
  };
  const auto backup = BackUp(options);
  ASSERT_THAT(backup, IsOk());
  ExpectSound(backup_);
  const CopiedPartition& orders = backup->partitions[0];
  EXPECT_EQ(last, orders.copied_bytes + orders.kept_bytes);
}

}  // namespace
}  // namespace varve
