// SPDX-License-Identifier: Apache-2.0

// Memory runs out at every allocation of an operation in turn: nothing is lost,
// so that the next call does the whole operation.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <new>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/allocations.h"
#include "tests/fixture/file_bytes.h"
#include "tests/fixture/partition_fixture.h"
#include "varve/log/batch/record.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/partition/partition_log.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AnyOf;
using ::testing::Contains;

class OutOfMemoryTest : public PartitionFixture {
 protected:
  OutOfMemoryTest() { config_.segment_bytes = 64 << 10; }

  static std::string Large() { return std::string(10000, 'x'); }

  void AppendUntilSegments(int64_t count) {
    while (log_->segment_count() < count) Append(Large());
  }

  // Makes `operation`, of a log as `prepare` leaves it, fail at each of its
  // allocations in turn; after each, `verify` looks at what the next call does.
  void FailEach(const std::function<void()>& prepare,
                const std::function<void()>& operation,
                const std::function<void()>& verify) {
    int64_t failed = 0;
    for (int64_t i = 0;; ++i) {
      SCOPED_TRACE(absl::StrCat("allocation ", i));
      Crash();
      std::filesystem::remove_all(path_);
      std::filesystem::create_directory(path_);
      checkpoint_ = {};
      Recover();
      prepare();
      if (HasFatalFailure()) return;
      files_.ForgetCalls();
      const bool threw = Throws(i, operation);
      if (!threw) break;
      ++failed;
      verify();
      if (HasFatalFailure()) return;
    }
    EXPECT_GT(failed, 0);
  }

  // Everything that was appended is on the disk after the next sync, and comes
  // back.
  void ExpectNextSyncCoversAll() {
    ASSERT_THAT(log_->Sync(), IsOk());
    const int64_t end = log_->visible_end();
    EXPECT_EQ(log_->durable_end(), end);
    for (const std::string& name : NamesIn(path_)) {
      if (!name.ends_with(".log")) continue;
      // A segment that was a ready one is open by its first name.
      EXPECT_THAT(files_.calls(),
                  Contains(AnyOf(absl::StrCat("File::Sync ", path_, "/", name),
                                 "File::Sync " + path_ + "/ready-log")));
    }
    EXPECT_THAT(files_.calls(), Contains("Directory::Sync " + path_));
    ExpectAllComesBack();
  }
  void ExpectAllComesBack() {
    const int64_t start = log_->log_start();
    const int64_t end = log_->visible_end();
    ASSERT_EQ(Append("next", Durability::kSynced), end);
    const int64_t count = log_->visible_end() - start;
    EXPECT_EQ(static_cast<int64_t>(ReadAll().size()), count);
    CloseCleanly();
    OpenClean();
    EXPECT_EQ(log_->log_start(), start);
    EXPECT_EQ(static_cast<int64_t>(ReadAll().size()), count);
  }

 private:
  static bool Throws(int64_t allocations,
                     const std::function<void()>& operation) {
    Allocations::left = allocations;
    try {
      operation();
    } catch (const std::bad_alloc&) {
      return true;
    }
    // A failure that was caught, and turned into an error, counts, too.
    return std::exchange(Allocations::left, -1) < 0;
  }
};

TEST_F(OutOfMemoryTest, SyncIsDoneWholeByTheNextCall) {
  FailEach([this] { AppendUntilSegments(3); },
           [this] { log_->Sync().IgnoreError(); },  // checked by its effect
           [this] { ExpectNextSyncCoversAll(); });
}

TEST_F(OutOfMemoryTest, RollIsDoneByTheNextAppend) {
  FailEach([this] { AppendUntilSegments(2); },
           [this] { log_->Roll().IgnoreError(); },  // checked by its effect
           [this] {
             Append("again");
             ExpectNextSyncCoversAll();
           });
}

TEST_F(OutOfMemoryTest, RollIntoAReadySegmentIsDoneByTheNextAppend) {
  config_.segment_bytes = 256 << 10;
  FailEach(
      [this] {
        while (!log_->TakePreparationWanted()) Append(Large());
        while (NamesIn(path_, "ready-log").empty()) {
          Append(Large());
          log_->PrepareAhead(1 << 20);
        }
      },
      [this] { log_->Roll().IgnoreError(); },  // checked by its effect
      [this] {
        AppendUntilSegments(3);
        ExpectNextSyncCoversAll();
      });
}

TEST_F(OutOfMemoryTest, FirstAppendCanBeMadeAgain) {
  FailEach([] {},
           [this] { TryAppend("first").IgnoreError(); },  // by its effect
           [this] {
             Append("second");
             ExpectNextSyncCoversAll();
           });
}

// An append that threw is not there, and one that is there is called back.
TEST_F(OutOfMemoryTest, AsyncAppendIsNotMadeOrIsCalledBack) {
  int64_t called = 0;
  bool returned = false;
  FailEach([&] { called = 0, returned = false; },
           [&] {
             returned = log_->AppendAsync(Record{.value = "first"},
                                          [&called](const auto&) { ++called; })
                            .ok();
           },
           [&] {
             const int64_t end = log_->visible_end();
             EXPECT_EQ(end, returned ? 1 : 0);
             Append("second");
             ExpectNextSyncCoversAll();
             listener_->CallBack();
             EXPECT_EQ(called, end);
           });
}

TEST_F(OutOfMemoryTest, SyncLosesNoCallback) {
  int64_t called = 0;
  FailEach(
      [&] {
        called = 0;
        AppendUntilSegments(2);
        ASSERT_THAT(log_->AppendAsync(Record{.value = "last"},
                                      [&called](const auto&) { ++called; }),
                    IsOk());
      },
      [this] { log_->Sync().IgnoreError(); },  // checked by its effect
      [&] {
        listener_->CallBack();
        EXPECT_EQ(called, log_->durable_end() == log_->visible_end() ? 1 : 0);
        ExpectNextSyncCoversAll();
        listener_->CallBack();
        EXPECT_EQ(called, 1);
      });
}

TEST_F(OutOfMemoryTest, PreparationLeavesNothingThatAnAppendTripsOver) {
  config_.segment_bytes = 256 << 10;
  FailEach(
      [this] {
        for (int i = 0; i < 15; ++i) Append(Large());
        ASSERT_TRUE(log_->TakePreparationWanted());
      },
      [this] { log_->PrepareAhead(1 << 20); },
      [this] {
        AppendUntilSegments(3);
        ExpectNextSyncCoversAll();
      });
}

TEST_F(OutOfMemoryTest, TrimIsDoneByTheNextOne) {
  FailEach(
      [this] {
        AppendUntilSegments(4);
        ASSERT_THAT(log_->Sync(), IsOk());
      },
      // It is checked by its effect.
      [this] { log_->TrimBefore(log_->visible_end() - 2).IgnoreError(); },
      [this] {
        ASSERT_THAT(log_->TrimBefore(log_->visible_end() - 1), IsOk());
        EXPECT_EQ(log_->segment_count(), 1);
        int64_t logs = 0;
        for (const std::string& name : NamesIn(path_))
          logs += name.ends_with(".log") ? 1 : 0;
        EXPECT_EQ(logs, 1);
        ExpectAllComesBack();
      });
}

TEST_F(OutOfMemoryTest, ParkIsDoneByTheNextOne) {
  FailEach([this] { AppendUntilSegments(2); },
           [this] { log_->Park().IgnoreError(); },  // checked by its effect
           [this] {
             ASSERT_THAT(log_->Park(), IsOk());
             EXPECT_FALSE(log_->holds_segments());
             ExpectAllComesBack();
           });
}

TEST_F(OutOfMemoryTest, CloseIsDoneByTheNextOne) {
  int64_t end = 0;
  int64_t called = 0;
  FailEach(
      [&] {
        called = 0;
        AppendUntilSegments(2);
        ASSERT_THAT(log_->AppendAsync(Record{.value = "last"},
                                      [&called](const auto&) { ++called; }),
                    IsOk());
        end = log_->visible_end();
      },
      [this] { log_->Close().IgnoreError(); },  // checked by its effect
      [&] {
        CloseCleanly();
        listener_->CallBack();
        EXPECT_EQ(called, 1);
        EXPECT_EQ(checkpoint_.recovery_point, end);
        OpenClean();
        EXPECT_EQ(static_cast<int64_t>(ReadAll().size()), end);
      });
}

TEST_F(OutOfMemoryTest, DeletionCallsBackAndWakesOnceItIsDone) {
  int64_t called = 0;
  FailEach(
      [&] {
        called = 0;
        AppendUntilSegments(2);
        ASSERT_THAT(log_->AppendAsync(Record{.value = "last"},
                                      [&called](const auto&) { ++called; }),
                    IsOk());
      },
      [this] { log_->Abandon(); },
      [&] {
        log_->Abandon();
        listener_->CallBack();
        EXPECT_EQ(called, 1);
        EXPECT_THAT(TryAppend("more"), StatusIs(absl::StatusCode::kNotFound));
      });
}

}  // namespace
}  // namespace varve
