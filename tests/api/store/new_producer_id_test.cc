// SPDX-License-Identifier: Apache-2.0

// LogStore::NewProducerId, over the life of stores.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/backup_fixture.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/file_bytes.h"
#include "varve/api/log_store.h"
#include "varve/api/store_backup.h"
#include "varve/api/store_verifier.h"
#include "varve/log/system/environment.h"
#include "varve/log/verification/verify_finding.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::Ge;
using ::testing::HasSubstr;

constexpr auto kPrecondition = absl::StatusCode::kFailedPrecondition;

class NewProducerIdTest : public BackupFixture {
 protected:
  int64_t NewId(LogStore& store) {
    const auto id = store.NewProducerId();
    CHECK_OK(id.status());
    EXPECT_GE(*id, int64_t{1} << 62);
    EXPECT_TRUE(issued_.insert(*id).second) << *id << " was issued before";
    return *id;
  }
  int64_t NewId() { return NewId(*store_); }

  const std::string file_ = path_ + "/varve.producers";
  std::set<int64_t> issued_;
};

TEST_F(NewProducerIdTest, StoreThatNeverAsksHasNoFile) {
  CreateTopic("orders");
  Append("orders", 3);
  Close();
  store_ = Open(path_);
  EXPECT_FALSE(std::filesystem::exists(file_));
  NewId();
  EXPECT_TRUE(std::filesystem::exists(file_));
}

TEST_F(NewProducerIdTest, IdsDifferOverReopens) {
  for (int open = 0; open < 3; ++open) {
    for (int i = 0; i < 1100; ++i) NewId();
    Close();
    store_ = Open(path_);
    EXPECT_TRUE(store_->recovery_report().clean);
  }
  EXPECT_EQ(issued_.size(), 3300);
  Close();
  ExpectSound(path_);
}

TEST_F(NewProducerIdTest, IdsDifferAfterAKill) {
  int ends[2];
  CHECK_EQ(pipe(ends), 0);
  const int64_t before = NewId();
  Close();
  const pid_t child = fork();
  CHECK_GE(child, 0);
  if (child == 0) {
    alarm(20);
    auto store = Open(path_);
    int64_t id = 0;
    for (int i = 0; i < 1500; ++i) {
      id = store->NewProducerId().value();
      if (write(ends[1], &id, sizeof(id)) != sizeof(id)) _exit(1);
    }
    kill(getpid(), SIGKILL);
  }
  close(ends[1]);
  int64_t id = 0;
  while (read(ends[0], &id, sizeof(id)) == sizeof(id)) issued_.insert(id);
  close(ends[0]);
  int status = 0;
  CHECK_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(issued_.size(), 1501);
  store_ = Open(path_);
  // The child took two blocks, after that of `before`.
  EXPECT_EQ(NewId(), before + 3000);
}

TEST_F(NewProducerIdTest, ClosedStoreIssuesNone) {
  NewId();
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_THAT(store_->NewProducerId(),
              StatusIs(kPrecondition, HasSubstr("closed")));
}

TEST_F(NewProducerIdTest, ForkedChildGetsNone) {
  const int64_t before = NewId();
  const pid_t child = fork();
  CHECK_GE(child, 0);
  if (child == 0) {
    alarm(20);
    EXPECT_THAT(store_->NewProducerId(),
                StatusIs(kPrecondition, HasSubstr("forked")));
    _exit(HasFailure() ? 1 : 0);
  }
  int status = 0;
  CHECK_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(NewId(), before + 1);
}

TEST_F(NewProducerIdTest, DamagedFileDoesNotKeepAStoreFromOpening) {
  NewId();
  Close();
  WriteBytes(file_, "garbage");
  const auto verified = VerifyStore(path_, Environment(), {});
  ASSERT_THAT(verified, IsOk());
  EXPECT_THAT(verified->findings,
              ElementsAre(AllOf(
                  Field(&VerifyFinding::path, file_),
                  Field(&VerifyFinding::severity, FindingSeverity::kDamage))));
  EXPECT_THAT(LogStore::OpenReadOnly(path_), IsOk());
  store_ = Open(path_);
  EXPECT_TRUE(store_->recovery_report().clean);
  NewId();
  Close();
  ExpectSound(path_);
}

TEST_F(NewProducerIdTest, FileOfANewerVersionFailsTheCallAlone) {
  Close();
  WriteBytes(file_, "varve.producers 2\nwhat\ncrc32c 00000000\n");
  const auto verified = VerifyStore(path_, Environment(), {});
  ASSERT_THAT(verified, IsOk());
  EXPECT_THAT(verified->findings,
              ElementsAre(AllOf(
                  Field(&VerifyFinding::path, file_),
                  Field(&VerifyFinding::what, HasSubstr("newer varve")))));
  store_ = Open(path_);
  EXPECT_THAT(store_->NewProducerId(),
              StatusIs(kPrecondition, HasSubstr("newer varve")));
  CreateTopic("orders");
  Append("orders", 1);
}

// Several blocks of ids are issued while a backup runs: before it lists a
// directory for the first time, and before its first rename.
TEST_F(NewProducerIdTest, RestoredStoreIssuesOthers) {
  CreateTopic("orders");
  Append("orders", 3);
  NewId();
  FaultyFileSystem files;
  for (const char* at : {"Directory::List", "Directory::Rename"}) {
    files.RunBefore(at, [this] {
      for (int i = 0; i < 2500; ++i) NewId();
    });
    std::filesystem::remove_all(backup_);
    std::filesystem::remove_all(restored_);
    ASSERT_THAT(BackUp({}, &files), IsOk());
    EXPECT_FALSE(std::filesystem::exists(backup_ + "/varve.producers"));
    const std::unique_ptr<LogStore> restored = Restored();
    for (int i = 0; i < 1500; ++i) {
      NewId(*restored);
      NewId();
    }
  }
  EXPECT_THAT(issued_.size(), Ge(8501));
}

}  // namespace
}  // namespace varve
