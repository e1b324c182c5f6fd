// SPDX-License-Identifier: Apache-2.0

// Copies that must not cost what is there: onto themselves, into each other,
// over directories of other people, and from what cannot be read.

#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/backup_fixture.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"
#include "varve/api/read_only_store.h"
#include "varve/api/store_backup.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

using Code = absl::StatusCode;

// A store, and a backup of it.
class CopyPlacesTest : public BackupFixture {
 protected:
  void SetUp() override {
    BackupFixture::SetUp();
    CreateTopic("orders");
    Append("orders", 12);
    Close();
    ASSERT_THAT(BackUp(), IsOk());
  }

  absl::Status BackUpFrom(const std::string& from, const std::string& to) {
    return BackUpStore({.store = from, .backup = to}, ReplacingWhatIsThere())
        .status();
  }
};

TEST_F(CopyPlacesTest, BackupIsNotMadeOntoItself) {
  EXPECT_THAT(
      BackUpFrom(backup_, backup_),
      StatusIs(Code::kInvalidArgument,
               AllOf(HasSubstr(backup_), HasSubstr("is the directory"))));
  ExpectSound(backup_);
  EXPECT_THAT(RestoreStore({.store = backup_, .backup = backup_},
                           ReplacingWhatIsThere()),
              StatusIs(Code::kInvalidArgument, HasSubstr("is the directory")));
  ExpectSound(backup_);
}

TEST_F(CopyPlacesTest, LinkToTheSourceIsTheSource) {
  const std::string link = scratch_ / "link";
  std::filesystem::create_directory_symlink(backup_, link);
  for (const std::string& same : {link, link + "/", backup_ + "/../link/."}) {
    EXPECT_THAT(
        BackUpFrom(backup_, same),
        StatusIs(Code::kInvalidArgument, HasSubstr("is the directory")));
    EXPECT_THAT(
        BackUpFrom(same, backup_),
        StatusIs(Code::kInvalidArgument, HasSubstr("is the directory")));
  }
  ExpectSound(backup_);
}

TEST_F(CopyPlacesTest, BackupIsNotMadeInItsStore) {
  std::filesystem::create_directory_symlink(path_, scratch_ / "link");
  for (const std::string& inner :
       {path_ + "/backup", path_ + "/deep/er", scratch_ / "link/backup",
        path_ + "/orders-0"}) {
    EXPECT_THAT(BackUpFrom(path_, inner),
                StatusIs(Code::kInvalidArgument,
                         AllOf(HasSubstr(inner), HasSubstr("lies in"))));
  }
  EXPECT_FALSE(std::filesystem::exists(path_ + "/backup"));
  EXPECT_FALSE(std::filesystem::exists(path_ + "/deep"));
  ExpectSound(path_);
}

TEST_F(CopyPlacesTest, StoreIsNotCopiedOverADirectoryThatItLiesIn) {
  const std::string inner = backup_ + "/deep/inner";
  std::filesystem::create_directory(backup_ + "/deep");
  CopyStore(path_, inner);
  EXPECT_THAT(BackUpFrom(inner, backup_),
              StatusIs(Code::kInvalidArgument,
                       AllOf(HasSubstr(inner), HasSubstr("has in it"))));
  EXPECT_THAT(LogStore::OpenReadOnly(backup_), IsOk());
  ExpectSound(inner);
}

TEST_F(CopyPlacesTest, DirectoriesBesideEachOtherAreApart) {
  EXPECT_THAT(BackUpFrom(path_, path_ + "-backup"), IsOk());
  EXPECT_THAT(BackUpFrom(path_, path_ + "/../deep/er"), IsOk());
}

TEST_F(CopyPlacesTest, BackupThatIsNamedLikeAPartitionIsNotRemoved) {
  ASSERT_THAT(Restore(), IsOk());
  const std::string inner = restored_ + "/backup-2024";
  CopyStore(backup_, inner);
  EXPECT_THAT(Restore(ReplacingWhatIsThere()),
              StatusIs(Code::kFailedPrecondition,
                       AllOf(HasSubstr(inner), HasSubstr("move it"))));
  ExpectSound(inner);
  EXPECT_THAT(LogStore::OpenReadOnly(restored_), IsOk());
  std::filesystem::rename(inner, scratch_ / "moved");
  ASSERT_THAT(Restore(ReplacingWhatIsThere()), IsOk());
  ExpectSound(restored_);
}

TEST_F(CopyPlacesTest, FilesThatNoPartitionHasAreNotRemoved) {
  const std::string letter = backup_ + "/orders-0/letter.txt";
  WriteBytes(letter, "dear");
  EXPECT_THAT(BackUpFrom(path_, backup_),
              StatusIs(Code::kFailedPrecondition,
                       AllOf(HasSubstr(letter), HasSubstr("move it"))));
  EXPECT_EQ(ReadBytes(letter), "dear");
  std::filesystem::remove(letter);
  ExpectSound(backup_);
}

TEST_F(CopyPlacesTest, StoreThatIsOpenIsNotReplaced) {
  ASSERT_THAT(Restore(), IsOk());
  std::unique_ptr<LogStore> open = Open(restored_);
  EXPECT_THAT(
      Restore(ReplacingWhatIsThere()),
      StatusIs(Code::kFailedPrecondition,
               restored_ + ": another writer has it open, or copies to it; one "
                           "process writes at a time"));
  open = nullptr;
  ExpectSound(restored_);
  EXPECT_THAT(Restore(ReplacingWhatIsThere()), IsOk());
}

TEST_F(CopyPlacesTest, SourceWithDamagedTopicsLeavesTheOldBackup) {
  WriteBytes(path_ + "/varve.topics", "varve.topics 1\nnonsense\n");
  EXPECT_THAT(BackUpFrom(path_, backup_),
              StatusIs(Code::kDataLoss, HasSubstr(path_ + "/varve.topics")));
  ExpectSound(backup_);
}

TEST_F(CopyPlacesTest, SourceOfANewerVersionLeavesTheOldBackup) {
  WriteBytes(path_ + "/varve.checkpoint", "varve.checkpoint 9\nsome text\n");
  EXPECT_THAT(BackUpFrom(path_, backup_),
              StatusIs(Code::kFailedPrecondition, HasSubstr("newer varve")));
  ExpectSound(backup_);
}

TEST_F(CopyPlacesTest, SourceThatCannotBeReadLeavesTheOldBackup) {
  std::filesystem::remove(path_ + "/varve.topics");
  EXPECT_FALSE(BackUpFrom(path_, backup_).ok());
  ExpectSound(backup_);
}

}  // namespace
}  // namespace varve
