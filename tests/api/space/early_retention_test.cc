// SPDX-License-Identifier: Apache-2.0

// What a store does about a disk that is nearly full: it runs retention before
// its time, and deletes nothing that a topic's policy would keep.

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/api/space/space_fixture.h"
#include "varve/api/log_store.h"
#include "varve/api/partition.h"
#include "varve/api/store_options.h"
#include "varve/log/metadata/durability.h"
#include "varve/log/metadata/log_config.h"
#include "varve/log/system/log_sink.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Kind = FreeSpaceChange::Kind;
constexpr absl::StatusCode kFull = absl::StatusCode::kResourceExhausted;
constexpr absl::Duration kDay = absl::Hours(24);

class EarlyRetentionTest : public SpaceFixture {
 protected:
  StoreOptions Options() override {
    StoreOptions options = SpaceFixture::Options();
    options.log_sink = [this](const LogMessage& message) {
      if (message.text.find("bytes free") != std::string_view::npos)
        messages_.push_back(absl::StrCat(message.text));
    };
    return options;
  }
  // A topic whose records are older than its retention.ms, and were checked a
  // moment ago, when they were not.
  void OpenWithOldRecords(int64_t count) {
    config_.log.retention_ms = absl::ToInt64Milliseconds(kDay);
    OpenWithTopic();
    ASSERT_THAT(store_->RunMaintenance(), IsOk());
    for (int64_t i = 0; i < count; ++i) {
      auto appended = Orders().Append({.value = std::string(3000, 'o'),
                                       .timestamp = clock_.Now() - 2 * kDay},
                                      Durability::kSynced);
      ASSERT_THAT(appended, IsOk());
    }
    ASSERT_THAT(store_->RunMaintenance(), IsOk());
    ASSERT_EQ(Orders().log_start(), 0) << "it is not time yet";
  }

  std::vector<std::string> messages_;
};

TEST_F(EarlyRetentionTest, RetentionRunsBeforeItsTimeBelowTheResumeMark) {
  OpenWithOldRecords(100);
  SetFree(kResume - 1);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_EQ(Orders().log_start(), 100);
  EXPECT_THAT(changes_, ElementsAre());
}

TEST_F(EarlyRetentionTest, RetentionThatFreesEnoughEndsTheRefusalItself) {
  // Little is left, so that the store looks with every segment.
  SetFree(kResume + (2600 << 10));
  OpenWithOldRecords(500);
  SetFree(kFloor + (300 << 10));
  ASSERT_THAT(AppendToTheFloor(), StatusIs(kFull));
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_GT(Orders().log_start(), 450);
  EXPECT_GT(Free(), kResume);
  EXPECT_THAT(Kinds(),
              ElementsAre(Kind::kAppendsRefused, Kind::kAppendsResumed));
  EXPECT_THAT(AppendBig(), IsOk());
}

TEST_F(EarlyRetentionTest, NothingThatThePolicyKeepsIsDeleted) {
  config_.log.retention_ms = absl::ToInt64Milliseconds(kDay);
  OpenWithTopic();
  TopicConfig kept = config_;
  kept.log.retention_ms = -1;
  ASSERT_THAT(store_->CreateTopic("kept", kept), IsOk());
  auto other = *store_->partition("kept", 0);
  for (int i = 0; i < 100; ++i) {
    ASSERT_THAT(other.Append({.value = std::string(3000, 'k'),
                              .timestamp = clock_.Now() - 100 * kDay},
                             Durability::kSynced),
                IsOk());
  }
  SetFree(kFloor + (500 << 10));
  ASSERT_THAT(AppendToTheFloor(), StatusIs(kFull));
  for (int i = 0; i < 20; ++i) {
    clock_.Advance(absl::Minutes(10));
    ASSERT_THAT(store_->RunMaintenance(), IsOk());
  }
  ExpectWhole(Orders().visible_end());
  EXPECT_EQ(other.log_start(), 0);
  EXPECT_EQ(other.visible_end(), 100);
  EXPECT_EQ(store_->Metrics().deleted_segments, 0);
}

TEST_F(EarlyRetentionTest, RefusalThatLastsRunsRetentionAgain) {
  OpenWithOldRecords(1);
  SetFree(kFloor - 1);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_EQ(Orders().log_start(), 1);
  ASSERT_THAT(Append("x"), StatusIs(kFull)) << "retention began a segment";
  SetFree(kPlenty);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  ASSERT_THAT(Orders().Append({.value = "x", .timestamp = clock_.Now() - kDay},
                              Durability::kSynced),
              IsOk());
  SetFree(kFloor - 1);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_EQ(Orders().log_start(), 1) << "not old enough";
  clock_.Advance(FreeSpaceGuard::kRetentionAgain);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_EQ(Orders().log_start(), 2) << "long before the check interval";
}

TEST_F(EarlyRetentionTest, LogSinkGetsWhatHappenedAndWhatToDo) {
  OpenWithTopic();
  SetFree(kFloor - 1);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  SetFree(kResume);
  ASSERT_THAT(store_->RunMaintenance(), IsOk());
  EXPECT_THAT(
      messages_,
      ElementsAre(AllOf(HasSubstr(path_), HasSubstr("1048575 bytes free"),
                        HasSubstr("are refused"),
                        HasSubstr("until 2097152 bytes are free")),
                  AllOf(HasSubstr("2097152 bytes free"), HasSubstr("go on"))));
}

// The program may do in the callback what frees space.
class CompactionFloorTest : public SpaceFixture {};

TEST_F(CompactionFloorTest, CompactionKeepsTheFloorAndGoesOnAboveIt) {
  config_.log.cleanup_policy = CleanupPolicy::kCompact;
  OpenWithTopic();
  for (int i = 0; i < 100; ++i) {
    ASSERT_THAT(Orders().Append({.key = "k", .value = std::string(3000, 'c')},
                                Durability::kMemory),
                IsOk());
  }
  ASSERT_THAT(Orders().Sync(), IsOk());
  SetFree(kFloor + (8 << 10));
  ASSERT_THAT(store_->RunMaintenance(), IsOk());  // looks

  EXPECT_THAT(store_->CompactTopic("orders"), StatusIs(kFull));

  EXPECT_GE(Free(), kFloor);
  EXPECT_EQ(Orders().visible_end(), 100);
  // What is done is done, and the rest is as it was.
  const auto part = ReadAll(Orders());
  ASSERT_THAT(part, IsOk());
  SetFree(kPlenty);
  PassLookAgain();
  EXPECT_THAT(store_->CompactTopic("orders"), IsOk());
  const auto all = ReadAll(Orders());
  ASSERT_THAT(all, IsOk());
  EXPECT_LT(all->size(), part->size());
  EXPECT_EQ(Orders().visible_end(), 100);
}

class CallbackTest : public SpaceFixture {
 protected:
  StoreOptions Options() override {
    StoreOptions options = SpaceFixture::Options();
    options.background = background_;
    options.environment.clock = Clock::Real();
    options.on_free_space_change = [this](const FreeSpaceChange& change) {
      if (change.kind == Kind::kAppendsResumed) {
        if (!resumed_.HasBeenNotified()) resumed_.Notify();
        return;
      }
      EXPECT_TRUE(store_->Metrics().disk.refuses_appends);
      EXPECT_THAT(Orders().TrimBefore(Orders().visible_end()), IsOk());
      if (!refused_.HasBeenNotified()) refused_.Notify();
    };
    return options;
  }

  Background background_ = Background::kOwnThreads;
  absl::Notification refused_;
  absl::Notification resumed_;
};

TEST_F(CallbackTest, ItTrimsOnTheStoresThreadAndAppendsGoOn) {
  // Little is left, so that the store looks with every segment.
  SetFree(kResume + (4 << 20));
  OpenWithTopic();
  while (Orders().visible_end() < 800) ASSERT_THAT(AppendBig(), IsOk());
  SetFree(kFloor + (400 << 10));
  EXPECT_THAT(AppendToTheFloor(), StatusIs(kFull));
  refused_.WaitForNotification();
  resumed_.WaitForNotification();
  EXPECT_GT(Orders().log_start(), 700);
  // The callback can answer a refusal that came while a file was prepared. Then
  // the appends above went on, and their own refusal has a trim still to come.
  absl::Status appended = AppendBig();
  for (int tries = 0; !appended.ok() && tries < 1000; ++tries) {
    EXPECT_THAT(appended, StatusIs(kFull));
    absl::SleepFor(absl::Milliseconds(10));
    appended = AppendBig();
  }
  EXPECT_THAT(appended, IsOk());
}

class ConcurrentFloorTest : public SpaceFixture {
 protected:
  StoreOptions Options() override {
    StoreOptions options = SpaceFixture::Options();
    options.background = Background::kOwnThreads;
    options.environment.clock = Clock::Real();
    return options;
  }
};

TEST_F(ConcurrentFloorTest, AppendersOfManyPartitionsLoseNothing) {
  config_.partitions = 4;
  // Before the store looks for the first time: what was free then is what it
  // goes by for a while.
  SetFree(kFloor + (4 << 20));
  OpenWithTopic();
  std::atomic<int64_t> refused = 0;
  std::vector<int64_t> acknowledged(4);
  std::vector<std::thread> threads;
  for (int32_t p = 0; p < 4; ++p) {
    threads.emplace_back([&, p] {
      Partition partition = Orders(p);
      int64_t refused_here = 0;
      while (refused_here < 10) {
        const auto appended = partition.Append(
            {.value = std::string(3000, 'c')}, Durability::kInterval);
        if (appended.ok()) {
          EXPECT_EQ(appended->offset, acknowledged[static_cast<size_t>(p)]++);
          continue;
        }
        EXPECT_THAT(appended, StatusIs(kFull));
        ++refused_here;
      }
      refused += refused_here;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(Free(), kFloor - (64 << 10)) << "what is no append takes a little";
  EXPECT_EQ(store_->Metrics().disk.refused_appends, refused);
  ASSERT_THAT(store_->Close(), IsOk());
  EXPECT_EQ(Kinds().front(), Kind::kAppendsRefused);
  Open();
  EXPECT_TRUE(store_->recovery_report().clean);
  for (int32_t p = 0; p < 4; ++p) {
    EXPECT_EQ(Orders(p).log_start(), 0);
    EXPECT_EQ(Orders(p).visible_end(), acknowledged[static_cast<size_t>(p)]);
  }
}

}  // namespace
}  // namespace varve
