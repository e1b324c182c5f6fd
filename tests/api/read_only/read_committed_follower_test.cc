// SPDX-License-Identifier: Apache-2.0

// Reads of committed records by another process than the writer, which follows
// it.

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
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
#include "varve/log/batch/control_record.h"
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
  template <typename AnyPartition>
  static Values AllFrom(const AnyPartition& partition, int64_t offset) {
    Cursor cursor(partition, offset, {.read = kCommitted});
    return Rest(cursor);
  }

  void Send(const ProducerClient& client, int32_t sequence) {
    ASSERT_THAT(Append(client.Batch(sequence)), IsOk());
  }
  void Commit(const ProducerClient& client) {
    ASSERT_THAT(Append(client.Marker(ControlRecordType::kCommit)), IsOk());
  }
  void Abort(const ProducerClient& client) {
    ASSERT_THAT(Append(client.Marker(ControlRecordType::kAbort)), IsOk());
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
              IsOk());  // to be told
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
  EXPECT_EQ(ReadAnew(), AllFrom(Orders(), 0));
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
  EXPECT_THAT(AllFrom(followed_, start), IsEmpty());
  Commit(one_);
  EXPECT_THAT(AllFrom(followed_, start), ElementsAre("1:20"));
}

// Files that are damaged do not matter: the batches say the same.
TEST_F(ReadCommittedFollowerTest, DamagedFilesAreReplacedByTheBatches) {
  CreateInSegmentsOf(512);
  for (int i = 0; i < 30; ++i) {
    Send(one_, i);
    if (i % 4 == 3) Abort(one_);
    AppendPlain(absl::StrCat("p", i));
  }
  const Values due = AllFrom(Orders(), 0);
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
    EXPECT_EQ(AllFrom(followed_, 0), due) << extension;
  }
  for (const auto& entry :
       std::filesystem::directory_iterator(path_ + "/orders-0")) {
    if (entry.path().extension() == ".snapshot" ||
        entry.path().extension() == ".txnindex") {
      std::filesystem::resize_file(entry.path(), 9);
    }
  }
  Follow();
  EXPECT_EQ(AllFrom(followed_, 0), due);
}

// A writer that does anything, beside followers that read what it reads.
class RandomWriter : public ReadCommittedFollowerTest {
 protected:
  int Below(int n) { return std::uniform_int_distribution(0, n - 1)(random_); }

  void Step() {
    const int choice = Below(100);
    auto& [client, sequence] = clients_[static_cast<size_t>(Below(4))];
    if (choice < 45) {
      Send(client, sequence++);
    } else if (choice < 65) {
      AppendPlain(absl::StrCat("p", ++plain_));
    } else if (choice < 80) {
      Commit(client);
    } else if (choice < 94) {
      Abort(client);
    } else if (choice < 97) {
      ASSERT_THAT(store_->RunMaintenance(), IsOk());
    } else if (choice < 99) {
      Reopen();
    } else {
      const int64_t start = Orders().log_start();
      ASSERT_THAT(
          Orders().TrimBefore(start + (Orders().visible_end() - start) / 4),
          IsOk());
    }
  }

  void Compare() {
    const int64_t from = Orders().log_start();
    // A transaction is open that began before the log start. Who begins to
    // follow now may not know of it, and goes on where the writer waits.
    if (Orders().readable_end(ReadLevel::kVisible, Isolation::kReadCommitted) ==
        from) {
      return;
    }
    const Values due = AllFrom(Orders(), from);
    ASSERT_EQ(AllFrom(followed_, from), due);
    // The follower may not know yet where the log starts.
    const auto end =
        followed_.ReadableEnd(ReadLevel::kVisible, Isolation::kReadCommitted);
    ASSERT_THAT(end, IsOk());
    ASSERT_EQ(
        std::max(from, *end),
        Orders().readable_end(ReadLevel::kVisible, Isolation::kReadCommitted));
    auto fresh = LogStore::OpenReadOnly(path_);
    ASSERT_THAT(fresh, IsOk());
    ASSERT_EQ(AllFrom(*(*fresh)->partition("orders", 0), from), due);
  }

  std::mt19937_64 random_;
  std::vector<std::pair<ProducerClient, int32_t>> clients_ = {
      {{.id = 1, .transactional = Transactional::kYes}, 0},
      {{.id = 2, .transactional = Transactional::kYes}, 0},
      {{.id = 3, .transactional = Transactional::kYes}, 0},
      {{.id = 4, .transactional = Transactional::kYes}, 0}};
  int plain_ = 0;
};

TEST_F(RandomWriter, FollowersReadWhatTheWriterReads) {
  const uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << '\n';
  random_.seed(seed);
  CreateInSegmentsOf(700);
  Follow();
  for (int i = 0; i < 400; ++i) {
    ASSERT_NO_FATAL_FAILURE(Step()) << "step " << i << ", seed " << seed;
    if (i % 8 != 0) continue;
    ASSERT_NO_FATAL_FAILURE(Compare()) << "step " << i << ", seed " << seed;
  }
}

}  // namespace
}  // namespace varve
