// SPDX-License-Identifier: Apache-2.0

// LogStore::DeleteTopic; tests/api/topics/topic_change_faults_test.cc has what
// happens when it fails or is cut short.

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/manual_clock.h"
#include "tests/fixture/store_fixture.h"
#include "tests/fixture/store_snapshot.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/log_store.h"
#include "varve/log/metadata/file_names.h"
#include "varve/log/system/clock.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kNotFound = absl::StatusCode::kNotFound;

class TopicDeletionTest : public StoreFixture {
 protected:
  void SetUp() override {
    Open();
    ASSERT_THAT(store_->CreateTopic("orders", {.partitions = 2}), IsOk());
    ASSERT_THAT(store_->CreateTopic("orders-0.kept"), IsOk());
    ASSERT_THAT(AppendEverywhere(*store_), IsOk());
  }

  // The test runs the maintenance, so it knows when.
  StoreOptions Options() override {
    return {.background = Background::kNone,
            .environment = {.files = &files_, .clock = &clock_}};
  }

  // The directories in the data directory.
  std::vector<std::string> Directories() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      if (entry.is_directory()) names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  std::vector<std::string> DeletedDirectories() const {
    std::vector<std::string> names = Directories();
    std::erase_if(names, [](const std::string& name) {
      return !IsDeletedDirectoryName(name);
    });
    return names;
  }

  void WriteFile(const std::string& name, const std::string& contents) {
    std::ofstream(path_ + "/" + name, std::ios::binary) << contents;
  }

  FaultyFileSystem files_;
  ManualClock clock_;
};

TEST_F(TopicDeletionTest, DeletedTopicIsGoneAndStaysSo) {
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(store_->DescribeTopic("orders"), StatusIs(kNotFound));
    EXPECT_THAT(store_->partition("orders", 0), StatusIs(kNotFound));
    EXPECT_THAT(store_->DeleteTopic("orders"), StatusIs(kNotFound));
    EXPECT_EQ(SnapshotOf(*store_), "orders-0.kept\n  0: 0=more\n");
    Reopen();
  }
  EXPECT_TRUE(store_->recovery_report().clean);
  EXPECT_THAT(store_->recovery_report().notes, IsEmpty());
}

TEST_F(TopicDeletionTest, InternalTopicIsNotDeleted) {
  EXPECT_THAT(store_->DeleteTopic("__consumer_offsets"),
              StatusIs(kInvalid, HasSubstr("internal")));
}

TEST_F(TopicDeletionTest, FilesWaitUnderKafkasNameAndGoInTime) {
  ASSERT_THAT(
      store_->AlterTopic("orders", {.set = {{"file.delete.delay.ms", "5000"}}}),
      IsOk());
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  const std::vector<std::string> waiting = DeletedDirectories();
  ASSERT_THAT(waiting, SizeIs(2));
  EXPECT_THAT(waiting[0],
              testing::MatchesRegex("orders-0\\.[0-9a-f]{32}-delete"));
  EXPECT_THAT(waiting[1],
              testing::MatchesRegex("orders-1\\.[0-9a-f]{32}-delete"));
  clock_.Advance(absl::Seconds(4.9));
  auto next = store_->RunMaintenance();
  ASSERT_THAT(next, IsOk());
  EXPECT_LE(*next, absl::Seconds(0.1));
  EXPECT_EQ(DeletedDirectories(), waiting);
  clock_.Advance(absl::Seconds(0.1));
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_THAT(Directories(), ElementsAre("orders-0.kept-0"));
}

TEST_F(TopicDeletionTest, CloseRemovesWhatWaits) {
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_THAT(Directories(), ElementsAre("orders-0.kept-0"));
}

TEST_F(TopicDeletionTest, FullDiskDoesNotKeepATopicFromBeingDeleted) {
  files_.LimitSpace(0);
  EXPECT_THAT(store_->CreateTopic("payments"),
              StatusIs(absl::StatusCode::kResourceExhausted));
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  EXPECT_THAT(store_->partition("orders", 0), StatusIs(kNotFound));
  files_.UnlimitSpace();
  Reopen();
  EXPECT_EQ(SnapshotOf(*store_), "orders-0.kept\n  0: 0=more\n");
}

TEST_F(TopicDeletionTest, NameOfGreatLengthIsCut) {
  const std::string name(249, 'x');
  ASSERT_THAT(store_->CreateTopic(name), IsOk());
  ASSERT_THAT(store_->DeleteTopic(name), IsOk());
  ASSERT_THAT(DeletedDirectories(), SizeIs(1));
  EXPECT_THAT(DeletedDirectories()[0], SizeIs(255));
}

TEST_F(TopicDeletionTest, OpenHandlesSayThatTheTopicWasDeleted) {
  Partition partition = Orders();
  auto view = partition.Read(0);
  ASSERT_THAT(view, IsOk());
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  const auto deleted =
      StatusIs(kNotFound, HasSubstr("orders-0: the topic was deleted"));
  EXPECT_THAT(partition.Append({.value = "x"}), deleted);
  EXPECT_THAT(partition.Append({.value = "x"}, Durability::kMemory), deleted);
  EXPECT_THAT(partition.Read(0), deleted);
  EXPECT_THAT(partition.Sync(), deleted);
  EXPECT_THAT(partition.TrimBefore(1), deleted);
  EXPECT_THAT(partition.WaitFor(9),
              StatusIs(absl::StatusCode::kCancelled, HasSubstr("deleted")));
  // A view stays valid, even when the files are deleted.
  clock_.Advance(absl::Hours(1));
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_THAT(DeletedDirectories(), IsEmpty());
  RecordBatches::Records records = view->records();
  const RecordView* record = records.Next();
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(record->value(), "more");
}

TEST_F(TopicDeletionTest, WaitersAreCancelled) {
  Partition partition = Orders();
  std::vector<absl::Status> ended(4);
  std::vector<std::thread> waiters;
  waiters.reserve(ended.size());
  for (absl::Status& status : ended) {
    waiters.emplace_back([&] { status = partition.WaitFor(1); });
  }
  absl::SleepFor(absl::Milliseconds(20));
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  for (std::thread& waiter : waiters) waiter.join();
  EXPECT_THAT(ended, Each(StatusIs(absl::StatusCode::kCancelled)));
}

TEST_F(TopicDeletionTest, NewTopicOfTheNameIsAnother) {
  Partition old = Orders();
  const TopicId old_id = store_->DescribeTopic("orders")->id;
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  ASSERT_THAT(store_->CreateTopic("orders", {.partitions = 1}), IsOk());
  EXPECT_FALSE(store_->DescribeTopic("orders")->id == old_id);
  EXPECT_EQ(Orders().visible_end(), 0);
  ASSERT_THAT(Orders().Append({.value = "new"}), IsOk());
  EXPECT_THAT(old.Append({.value = "x"}), StatusIs(kNotFound));
  const std::string expected =
      "orders\n  0: 0=new\norders-0.kept\n  0: 0=more\n";
  EXPECT_EQ(SnapshotOf(*store_), expected);
  clock_.Advance(absl::Hours(1));
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_EQ(SnapshotOf(*store_), expected);
  EXPECT_THAT(Directories(), ElementsAre("orders-0", "orders-0.kept-0"));
  Reopen();
  EXPECT_EQ(SnapshotOf(*store_), expected);
}

// The recovery point of the old topic says that more was durable than the new
// one has: that is no corruption, whatever file says so.
TEST_F(TopicDeletionTest, NewTopicDoesNotInheritTheRecoveryPoint) {
  for (int i = 0; i < 50; ++i) ASSERT_THAT(AppendEverywhere(*store_), IsOk());
  Reopen();  // the checkpoints are written
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  ASSERT_THAT(store_->CreateTopic("orders", {.partitions = 2}), IsOk());
  ASSERT_THAT(Orders().Append({.value = "new"}), IsOk());
  for (const bool checkpoint_is_lost : {false, true}) {
    const std::string crashed = path_ + ".crashed";
    CopyStore(path_, crashed);
    if (checkpoint_is_lost) {
      std::filesystem::remove(crashed + "/varve.checkpoint");
    }
    auto store = LogStore::Open(crashed);
    ASSERT_THAT(store, IsOk());
    EXPECT_FALSE((*store)->recovery_report().has_damage())
        << (*store)->recovery_report().ToString();
    EXPECT_THAT(SnapshotOf(**store), HasSubstr("orders\n  0: 0=new\n  1:\n"));
  }
}

// A crash came between our file and Kafka's copy, which is read when ours is
// lost.
TEST_F(TopicDeletionTest, NewTopicDoesNotInheritAStaleCopyOfARecoveryPoint) {
  for (int i = 0; i < 50; ++i) ASSERT_THAT(AppendEverywhere(*store_), IsOk());
  Reopen();  // the checkpoints are written
  files_.FailCallsNamed(
      "Directory::OpenFile " + path_ + "/recovery-point-offset-checkpoint", EIO,
      FaultyFileSystem::Repeat::kForever);
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  const std::string crashed = path_ + ".crashed";
  CopyStore(path_, crashed);
  files_.StopFailing();
  const std::string crashed_again = crashed + ".again";
  {
    auto store = LogStore::Open(crashed, {.background = Background::kNone});
    ASSERT_THAT(store, IsOk());
    ASSERT_THAT((*store)->CreateTopic("orders", {.partitions = 2}), IsOk());
    auto orders = (*store)->partition("orders", 0);
    ASSERT_THAT(orders, IsOk());
    ASSERT_THAT(orders->Append({.value = "new"}), IsOk());
    CopyStore(crashed, crashed_again);
  }
  std::filesystem::remove(crashed_again + "/varve.checkpoint");
  auto store = LogStore::Open(crashed_again);
  ASSERT_THAT(store, IsOk());
  EXPECT_FALSE((*store)->recovery_report().has_damage())
      << (*store)->recovery_report().ToString();
  EXPECT_THAT(SnapshotOf(**store), HasSubstr("orders\n  0: 0=new\n  1:\n"));
}

TEST_F(TopicDeletionTest, FilesLeftByACrashGoAfterTheNextOpen) {
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  CopyStore(path_, path_ + ".crashed");
  store_ = nullptr;
  std::filesystem::remove_all(path_);
  std::filesystem::rename(path_ + ".crashed", path_);
  ASSERT_THAT(DeletedDirectories(), SizeIs(2));
  Open();
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_THAT(Directories(), ElementsAre("orders-0.kept-0"));
}

TEST_F(TopicDeletionTest, FilesLeftByACrashGoAtTheNextCloseAtTheLatest) {
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  CopyStore(path_, path_ + ".crashed");
  store_ = nullptr;
  std::filesystem::remove_all(path_);
  std::filesystem::rename(path_ + ".crashed", path_);
  ASSERT_THAT(DeletedDirectories(), SizeIs(2));
  Open();
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_THAT(Directories(), ElementsAre("orders-0.kept-0"));
}

TEST_F(TopicDeletionTest, DirectoriesThatCannotBeRenamedAreTriedAgain) {
  files_.FailCallsNamed("Directory::Rename " + path_ + "/orders-1", EACCES,
                        FaultyFileSystem::Repeat::kForever);
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  EXPECT_THAT(DeletedDirectories(), SizeIs(1));
  // A new topic of this name waits for it, another one does not.
  EXPECT_THAT(store_->CreateTopic("orders"),
              StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(store_->CreateTopic("payments"), IsOk());
  files_.StopFailing();
  EXPECT_THAT(store_->CreateTopic("orders", {.partitions = 2}), IsOk());
  EXPECT_THAT(DeletedDirectories(), SizeIs(2));
  EXPECT_EQ(Orders(1).visible_end(), 0);
}

// Directories that belong to no topic, and that no deletion left, hold a user's
// records: a restored, older varve.topics does not know them.
TEST_F(TopicDeletionTest, DirectoriesOfNoTopicAreKept) {
  std::filesystem::copy(path_ + "/orders-0", path_ + "/other-0");
  WriteFile("orders-1.0123456789abcdef0123456789abcde-delete", "a file");
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  clock_.Advance(absl::Hours(1));
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  Reopen();
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_THAT(Directories(), ElementsAre("orders-0.kept-0", "other-0"));
  EXPECT_TRUE(std::filesystem::exists(
      path_ + "/orders-1.0123456789abcdef0123456789abcde-delete"));
}

// A user has put another topic's directory in the place of a deleted topic's.
TEST_F(TopicDeletionTest, DirectoryOfAnotherTopicIsNotDeleted) {
  std::filesystem::remove_all(path_ + "/orders-1");
  std::filesystem::copy(path_ + "/orders-0.kept-0", path_ + "/orders-1");
  ASSERT_THAT(store_->DeleteTopic("orders"), IsOk());
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_THAT(Directories(), ElementsAre("orders-0.kept-0", "orders-1"));
}

// Appenders, readers and waiters of a topic that is deleted and made again,
// over and over: each call works on a topic that exists, or returns that it
// does not.
TEST_F(TopicDeletionTest, DeletionsAndCallsGoOnSideBySide) {
  std::atomic<bool> stop = false;
  std::atomic<int64_t> appended = 0;
  std::vector<std::thread> threads;
  const auto allowed = [](const absl::Status& status) {
    return status.ok() || absl::IsNotFound(status);
  };
  for (int32_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      while (!stop.load()) {
        auto partition = store_->partition("orders", thread % 2);
        ASSERT_TRUE(allowed(partition.status())) << partition.status();
        if (!partition.ok()) continue;
        for (int i = 0; i < 20; ++i) {
          auto where =
              partition->Append({.value = "x"}, i == 9 ? Durability::kSynced
                                                       : Durability::kMemory);
          ASSERT_TRUE(allowed(where.status())) << where.status();
          if (!where.ok()) break;
          ++appended;
          auto view =
              partition->Read(where->offset, {.level = ReadLevel::kVisible});
          ASSERT_TRUE(allowed(view.status())) << view.status();
          ASSERT_FALSE(view.ok() && view->empty());
        }
      }
    });
  }
  threads.emplace_back([&] {
    while (!stop.load()) {
      auto partition = store_->partition("orders", 0);
      if (!partition.ok()) continue;
      const absl::Status status = partition->WaitFor(partition->visible_end());
      ASSERT_TRUE(status.ok() || absl::IsCancelled(status)) << status;
    }
  });
  for (int i = 0; i < 60; ++i) {
    EXPECT_THAT(store_->DeleteTopic("orders"), IsOk());
    EXPECT_THAT(store_->CreateTopic("orders", {.partitions = 2}), IsOk());
    if (i % 8 == 0) clock_.Advance(absl::Minutes(2));
    EXPECT_THAT(store_->RunMaintenance(), IsOk());
    const int64_t before = appended.load();
    while (i % 4 == 0 && appended.load() < before + 20) absl::SleepFor({});
  }
  stop = true;
  EXPECT_THAT(store_->DeleteTopic("orders"), IsOk());
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(appended.load(), 0);
  EXPECT_THAT(store_->Close(), IsOk());
  EXPECT_THAT(Directories(), ElementsAre("orders-0.kept-0"));
}

}  // namespace
}  // namespace varve
