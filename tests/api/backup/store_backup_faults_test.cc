// SPDX-License-Identifier: Apache-2.0

// Every backup and restore with each of its system calls failing in turn, and
// with all after it failing too, as an interruption leaves it: what is there is
// no store, or a whole one, and the next call makes it whole.

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/backup_fixture.h"
#include "tests/fixture/faulty_file_system.h"
#include "varve/api/log_store.h"
#include "varve/api/read_only_store.h"
#include "varve/api/store_backup.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Code = absl::StatusCode;
using Repeat = FaultyFileSystem::Repeat;

// The store has no committed offsets: each call of each backup is made to fail,
// and a topic more would double them.
class StoreBackupFaultsTest : public BackupFixture {
 protected:
  void SetUp() override {
    BackupFixture::SetUp();
    CreateTopic("orders", 2);
    Append("orders", 12);
    Append("orders", 2, Durability::kMemory, 1);
    ASSERT_THAT(store_->RunMaintenance(), IsOk());
    Append("orders", 2, Durability::kMemory);
    records_ = RecordsOf(*store_);
  }

  // There is nobody who takes the directory for a store.
  static void ExpectNoStore(const std::string& path) {
    EXPECT_THAT(
        LogStore::OpenReadOnly(path),
        AnyOf(StatusIs(Code::kNotFound),
              StatusIs(Code::kFailedPrecondition, HasSubstr("not finished"))));
  }

  // The last steps put the whole store in its place: of an error after that it
  // is not known whether it survives a power loss, and nothing else.
  static void ExpectNoneOrWhole(const std::string& path) {
    if (LogStore::OpenReadOnly(path).ok()) {
      ExpectSound(path);
    } else {
      ExpectNoStore(path);
    }
  }

  RecordsByPartition records_;
};

TEST_F(StoreBackupFaultsTest, FailedCallOfABackupLeavesNoStoreAndIsRepeated) {
  for (const Repeat repeat : {Repeat::kOnce, Repeat::kForever}) {
    int failures = 0;
    for (int64_t i = 0;; ++i) {
      SCOPED_TRACE(absl::StrCat("call ", i));
      std::filesystem::remove_all(backup_);
      FaultyFileSystem files;
      files.FailCall(i, EIO, repeat);
      const absl::Status status = BackUp({}, &files).status();
      if (!status.ok()) {
        ++failures;
        ExpectNoneOrWhole(backup_);
      }
      ASSERT_THAT(BackUp(ReplacingWhatIsThere()), IsOk());
      ExpectSound(backup_);
      auto copy = LogStore::OpenReadOnly(backup_);
      ASSERT_THAT(copy, IsOk());
      auto orders = (*copy)->partition("orders", 0);
      ASSERT_THAT(orders, IsOk());
      ASSERT_EQ(orders->visible_end().value_or(-1), 14);
      if (files.call_count() <= i || HasFailure()) break;
    }
    EXPECT_GT(failures, 30);
  }
  EXPECT_EQ(RecordsOf(*Restored()), records_);
}

TEST_F(StoreBackupFaultsTest, FailedCallOfARestoreLeavesNoStoreAndIsRepeated) {
  ASSERT_THAT(BackUp(), IsOk());
  for (const Repeat repeat : {Repeat::kOnce, Repeat::kForever}) {
    int failures = 0;
    for (int64_t i = 0;; ++i) {
      SCOPED_TRACE(absl::StrCat("call ", i));
      std::filesystem::remove_all(restored_);
      FaultyFileSystem files;
      files.FailCall(i, EIO, repeat);
      const absl::Status status = Restore({}, &files).status();
      if (!status.ok()) {
        ++failures;
        ExpectNoneOrWhole(restored_);
      }
      ASSERT_THAT(Restore(ReplacingWhatIsThere()), IsOk());
      ExpectSound(restored_);
      ExpectSound(backup_);
      ASSERT_EQ(RecordsOf(*Open(restored_)), records_);
      if (files.call_count() <= i || HasFailure()) break;
    }
    EXPECT_GT(failures, 30);
  }
}

TEST_F(StoreBackupFaultsTest, InterruptedReplacementIsNoStoreAndIsRepeated) {
  ASSERT_THAT(BackUp(), IsOk());
  Append("orders", 8);
  records_ = RecordsOf(*store_);
  for (int64_t i = 0;; i += 3) {
    SCOPED_TRACE(absl::StrCat("call ", i));
    FaultyFileSystem files;
    files.FailCall(i, EIO, Repeat::kForever);
    const absl::Status status = BackUp(ReplacingWhatIsThere(), &files).status();
    if (!status.ok()) ExpectNoneOrWhole(backup_);
    ASSERT_THAT(BackUp(ReplacingWhatIsThere()), IsOk());
    ExpectSound(backup_);
    if (files.call_count() <= i || HasFailure()) break;
  }
  EXPECT_EQ(RecordsOf(*Restored()), records_);
}

TEST_F(StoreBackupFaultsTest, FullDiskIsAnErrorAndTheBackupGoesOnWithRoom) {
  bool succeeded = false;
  for (int64_t room = 0; !succeeded; room += 211) {
    SCOPED_TRACE(absl::StrCat("room for ", room, " bytes"));
    std::filesystem::remove_all(backup_);
    FaultyFileSystem files;
    files.LimitSpace(room);
    const absl::Status status = BackUp({}, &files).status();
    succeeded = status.ok();
    if (!succeeded) {
      EXPECT_THAT(status, StatusIs(Code::kResourceExhausted));
      ExpectNoStore(backup_);
    }
    files.UnlimitSpace();
    ASSERT_THAT(BackUp(ReplacingWhatIsThere(), &files), IsOk());
    ASSERT_NO_FATAL_FAILURE(ExpectSound(backup_));
    if (HasFailure()) break;
  }
  EXPECT_EQ(RecordsOf(*Restored()), records_);
}

TEST_F(StoreBackupFaultsTest, FilesAreDurableBeforeTheBackupIsAStore) {
  FaultyFileSystem files;
  ASSERT_THAT(BackUp({}, &files), IsOk());
  const std::vector<std::string> calls = files.calls();
  const std::string whole =
      "Directory::Rename " + backup_ + "/varve.topics.tmp";
  std::set<std::string> written;  // and not synced since
  bool is_whole = false;
  for (const std::string& call : calls) {
    const std::string path = call.substr(call.find(' ') + 1);
    if (!absl::StartsWith(path, backup_)) continue;
    if (absl::StartsWith(call, "File::WriteAt") ||
        absl::StartsWith(call, "File::Truncate") ||
        absl::StartsWith(call, "File::Allocate")) {
      written.insert(path);
    }
    if (absl::StartsWith(call, "File::Sync")) written.erase(path);
    if (absl::StartsWith(call, "Directory::RemoveFile")) written.erase(path);
    if (call != whole) continue;
    is_whole = true;
    EXPECT_THAT(written, IsEmpty());
  }
  EXPECT_TRUE(is_whole);
}

}  // namespace
}  // namespace varve
