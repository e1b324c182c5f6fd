// SPDX-License-Identifier: Apache-2.0

// Reads of committed records by another process than the writer, which follows
// it.

#include <cerrno>
#include <cstdint>
#include <filesystem>
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
#include "tests/fixture/producer_client.h"
#include "tests/fixture/producer_store_fixture.h"
#include "tests/fixture/stored_records.h"
#include "varve/api/cursor.h"
#include "varve/api/log_store.h"
#include "varve/api/offset_reset.h"
#include "varve/api/read_only_partition.h"
#include "varve/api/read_only_store.h"
#include "varve/api/store_options.h"
#include "varve/log/metadata/read_options.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

using Values = std::vector<std::string>;

constexpr ReadOptions kCommitted = {.level = ReadLevel::kVisible,
                                    .isolation = Isolation::kReadCommitted};

class ReadCommittedFollowerTest : public ProducerStoreFixture {
 protected:
  StoreOptions Options() override {
    StoreOptions options = ProducerStoreFixture::Options();
    options.environment.files = &files_;
    return options;
  }
  void SetUp() override {
    ProducerStoreFixture::SetUp();
    Follow();
  }
  // The process ends; what it has written stays, and nobody recovers it yet.
  void Die() {
    const std::string copy = scratch_ / "copy";
    CopyStore(path_, copy);
    Close();
    std::filesystem::remove_all(path_);
    std::filesystem::rename(copy, path_);
  }
  // What one reads who begins now.
  Values ReadAnew() {
    Follow();
    return News();
  }

  // Another process begins to follow.
  void Follow() {
    auto opened = LogStore::OpenReadOnly(path_);
    ASSERT_THAT(opened, IsOk());
    readers_ = *std::move(opened);
    auto orders = readers_->partition("orders", 0);
    ASSERT_THAT(orders, IsOk());
    followed_ = *std::move(orders);
    cursor_ = std::make_unique<Cursor>(followed_, 0,
                                       CursorOptions{.read = kCommitted});
  }

  // The new values, of committed records.
  Values News() { return Rest(*cursor_); }
  static Values Rest(Cursor& cursor) {
    Values values;
    while (const RecordView* record = cursor.Next())
      values.emplace_back(*record->value());
    EXPECT_THAT(cursor.status(), IsOk());
    return values;
  }

  FaultyFileSystem files_;
  const ProducerClient one_ = {.id = 1, .transactional = Transactional::kYes};
  const ProducerClient two_ = {.id = 2, .transactional = Transactional::kYes};
  std::unique_ptr<ReadOnlyStore> readers_;
  ReadOnlyPartition followed_;
  std::unique_ptr<Cursor> cursor_;
};

TEST_F(ReadCommittedFollowerTest, RecordsComeWhenTheirTransactionsEnd) {
  EXPECT_THAT(News(), IsEmpty());
  Send(one_, 0);
  AppendPlain("a");
  EXPECT_THAT(News(), IsEmpty());
  Send(two_, 0);
  Commit(one_);
  EXPECT_THAT(News(), ElementsAre("1:0", "a"));
  EXPECT_THAT(News(), IsEmpty());
  Abort(two_);
  AppendPlain("b");
  EXPECT_THAT(News(), ElementsAre("b"));
  EXPECT_EQ(cursor_->position(), Orders().visible_end());
}

TEST_F(ReadCommittedFollowerTest, WaitEndsWithTheMarker) {
  Send(one_, 0);
  const absl::Time soon = absl::Now() + absl::Milliseconds(20);
  EXPECT_THAT(followed_.WaitFor(0, soon, ReadLevel::kVisible), IsOk());
  EXPECT_THAT(followed_.WaitFor(0, soon, ReadLevel::kVisible,
                                Isolation::kReadCommitted),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  Commit(one_);
  EXPECT_THAT(followed_.WaitFor(0, absl::InfiniteFuture(), ReadLevel::kVisible,
                                Isolation::kReadCommitted),
              IsOk());
}

TEST_F(ReadCommittedFollowerTest, PastTheEndIsOutOfRange) {
  Send(one_, 0);
  EXPECT_THAT(followed_.Read(1, kCommitted), IsOk());
  EXPECT_THAT(followed_.Read(2, kCommitted),
              StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT(followed_.WaitFor(2, absl::InfiniteFuture(), ReadLevel::kVisible,
                                Isolation::kReadCommitted),
              IsOk());  // a read reports it
}

TEST_F(ReadCommittedFollowerTest, DurableReadEndsBeforeAMarkerThatIsNot) {
  Send(one_, 0);
  ASSERT_THAT(Orders().Sync(), IsOk());
  ASSERT_THAT(store_->RunMaintenance(), IsOk());  // writes the checkpoint
  Commit(one_);
  Follow();
  EXPECT_THAT(
      followed_.ReadableEnd(ReadLevel::kVisible, Isolation::kReadCommitted),
      IsOkAndHolds(2));
  EXPECT_THAT(followed_.ReadableEnd(ReadLevel::kDurable), IsOkAndHolds(1));
  EXPECT_THAT(
      followed_.ReadableEnd(ReadLevel::kDurable, Isolation::kReadCommitted),
      IsOkAndHolds(0));
  Reopen();
  Follow();
  EXPECT_THAT(
      followed_.ReadableEnd(ReadLevel::kDurable, Isolation::kReadCommitted),
      IsOkAndHolds(2));
}

// A segment begins at the recovery point, and its snapshot is not written yet.
TEST_F(ReadCommittedFollowerTest, RollAtTheRecoveryPointHidesNoTransaction) {
  CreateInSegmentsOf(512);
  Send(one_, 0);
  Send(two_, 0);
  Abort(two_);
  const int64_t files = FileCount(".log");
  while (FileCount(".log") == files) {
    ASSERT_THAT(Orders().Sync(), IsOk());
    absl::SleepFor(absl::Milliseconds(1100));  // until a checkpoint is due
    ASSERT_THAT(store_->RunMaintenance(), IsOk());
    AppendPlain("a");
  }
  EXPECT_THAT(ReadAnew(), IsEmpty());
  Commit(one_);
  EXPECT_EQ(ReadAnew(), CommittedFrom(Orders(), 0));
}

TEST_F(ReadCommittedFollowerTest, RecoveryInBetweenShowsNothingAborted) {
  Send(one_, 0);
  Abort(one_);
  AppendPlain("a");
  Die();
  int seen = 0;
  const std::string partition = path_ + "/orders-0/";
  for (const std::string name :
       {"00000000000000000000.txnindex", "00000000000000000003.snapshot"}) {
    files_.RunBefore("Directory::OpenFile " + partition + name, [&] {
      std::thread([&] {
        EXPECT_THAT(ReadAnew(), ElementsAre("a"));
        ++seen;
      }).join();
    });
  }
  Open();
  Orders();
  EXPECT_GT(seen, 0);
  EXPECT_THAT(ReadAnew(), ElementsAre("a"));
}

TEST_F(ReadCommittedFollowerTest, RecoveryThatFailedShowsNothingAborted) {
  Send(one_, 0);
  Abort(one_);
  AppendPlain("a");
  Die();
  files_.FailCallsNamed("Directory::OpenFile " + path_ +
                            "/orders-0/00000000000000000000.txnindex",
                        ENOSPC, FaultyFileSystem::Repeat::kForever);
  Open();
  EXPECT_THAT(store_->partition("orders", 0).status(), Not(IsOk()));
  EXPECT_THAT(ReadAnew(), ElementsAre("a"));
}

TEST_F(ReadCommittedFollowerTest, SnapshotOfASyncThatFailedIsNotBelieved) {
  CreateInSegmentsOf(400);
  Send(one_, 0);
  ASSERT_THAT(Orders().Sync(), IsOk());
  ASSERT_THAT(store_->RunMaintenance(), IsOk());  // writes the checkpoint
  Commit(one_);
  const int64_t files = FileCount(".log");
  while (FileCount(".log") == files) AppendPlain("x");
  const std::string log = path_ + "/orders-0/00000000000000000000.log";
  files_.FailCallsNamed("File::Sync " + log, EIO,
                        FaultyFileSystem::Repeat::kForever);
  EXPECT_THAT(Orders().Sync(), Not(IsOk()));
  EXPECT_EQ(FileCount(".snapshot"), 1);
  Follow();
  EXPECT_THAT(followed_.ReadableEnd(ReadLevel::kDurable), IsOkAndHolds(1));
  EXPECT_THAT(
      followed_.ReadableEnd(ReadLevel::kDurable, Isolation::kReadCommitted),
      IsOkAndHolds(0));
}

TEST_F(ReadCommittedFollowerTest, TransactionOpenBeforeTheLogStartEndsThere) {
  CreateInSegmentsOf(512);
  Send(one_, 0);
  for (int i = 0; i < 12; ++i) AppendPlain("a");
  ASSERT_THAT(Orders().TrimBefore(5), IsOk());
  EXPECT_EQ(
      Orders().readable_end(ReadLevel::kVisible, Isolation::kReadCommitted), 5);
  Cursor latest(followed_, 0,
                {.reset = OffsetReset::kLatest, .read = kCommitted});
  EXPECT_EQ(latest.Next(), nullptr);
  EXPECT_THAT(latest.status(), IsOk());
}

TEST_F(ReadCommittedFollowerTest, TrimPastWhatIsKnownIsFollowed) {
  CreateInSegmentsOf(512);
  Follow();
  EXPECT_THAT(News(), IsEmpty());
  for (int i = 0; i < 20; ++i) Send(one_, i);
  Abort(one_);
  Send(two_, 0);
  Send(one_, 20);
  Commit(two_);
  const int64_t start = Orders().visible_end() - 2;
  ASSERT_THAT(Orders().TrimBefore(start), IsOk());
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  absl::SleepFor(absl::Milliseconds(600));  // until the reader looks again
  EXPECT_THAT(followed_.log_start(), IsOkAndHolds(start));
  EXPECT_THAT(CommittedFrom(followed_, start), IsEmpty());
  Commit(one_);
  EXPECT_THAT(CommittedFrom(followed_, start), ElementsAre("1:20"));
}

// Files that are damaged do not matter: the batches say the same.
TEST_F(ReadCommittedFollowerTest, DamagedFilesAreReplacedByTheBatches) {
  CreateInSegmentsOf(512);
  for (int i = 0; i < 30; ++i) {
    Send(one_, i);
    if (i % 4 == 3) Abort(one_);
    AppendPlain(absl::StrCat("p", i));
  }
  const Values due = CommittedFrom(Orders(), 0);
  EXPECT_GT(due.size(), 20U);
  Close();
  for (const std::string extension : {".txnindex", ".snapshot"}) {
    int damaged = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(path_ + "/orders-0")) {
      if (entry.path().extension() != extension) continue;
      // Every other one, and then the rest.
      if (++damaged % 2 == 0) std::filesystem::resize_file(entry.path(), 9);
    }
    EXPECT_GT(damaged, 2);
    Follow();
    EXPECT_EQ(CommittedFrom(followed_, 0), due) << extension;
  }
  for (const auto& entry :
       std::filesystem::directory_iterator(path_ + "/orders-0")) {
    if (entry.path().extension() == ".snapshot" ||
        entry.path().extension() == ".txnindex") {
      std::filesystem::resize_file(entry.path(), 9);
    }
  }
  Follow();
  EXPECT_EQ(CommittedFrom(followed_, 0), due);
}

}  // namespace
}  // namespace varve
