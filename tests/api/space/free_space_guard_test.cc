// SPDX-License-Identifier: Apache-2.0

#include "varve/api/space/free_space_guard.h"

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/faulty_file_system.h"
#include "tests/fixture/partition_fixture.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/api/store_options.h"
#include "varve/log/meters/space_refusal.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Kind = FreeSpaceChange::Kind;
constexpr absl::StatusCode kFull = absl::StatusCode::kResourceExhausted;

class FreeSpaceGuardTest : public testing::Test {
 protected:
  static constexpr int64_t kFloor = 1000;
  static constexpr int64_t kResume = 2000;

  FreeSpaceGuardTest() {
    auto directory = files_.OpenDirectory(scratch_.path());
    guard_ = std::make_unique<FreeSpaceGuard>(
        *std::move(directory),
        FreeSpaceGuard::Marks{.floor_bytes = kFloor, .resume_bytes = kResume},
        &clock_);
    guard_->SetWake([this] { ++wakes_; });
  }

  // Takes the bytes of the disk that the file system pretends to have.
  absl::Status Take(int64_t bytes) {
    return guard_->Allocate({.path = "/x/0.log", .bytes = bytes}, [&] {
      return files_.TakeSpace(bytes, "File::Allocate", "/x/0.log");
    });
  }
  // Whether an allocation of so much is let through; nothing is taken.
  absl::Status Ask(int64_t bytes) {
    return guard_->Allocate({.path = "/x/0.log", .bytes = bytes},
                            [] { return absl::OkStatus(); });
  }
  void PassLookAgain() { clock_.Advance(FreeSpaceGuard::kLookAgain); }
  std::vector<Kind> Changes() {
    std::vector<Kind> kinds;
    for (const FreeSpaceChange& change : guard_->TakeChanges())
      kinds.push_back(change.kind);
    return kinds;
  }
  int64_t Looks() {
    int64_t count = 0;
    for (const std::string& call : files_.calls())
      count += call.starts_with("Directory::FreeBytes") ? 1 : 0;
    return count;
  }

  ScratchDirectory scratch_;
  FaultyFileSystem files_;
  ManualClock clock_;
  std::unique_ptr<FreeSpaceGuard> guard_;
  int wakes_ = 0;
};

TEST_F(FreeSpaceGuardTest, TakesAllDownToTheFloorAndNoByteMore) {
  files_.LimitSpace(kFloor + 300);
  EXPECT_THAT(Take(299), IsOk());
  EXPECT_THAT(Take(1), IsOk());
  EXPECT_THAT(Take(1), StatusIs(kFull));
  EXPECT_EQ(files_.space_left(), kFloor);
}

TEST_F(FreeSpaceGuardTest, RefusalNamesTheFileTheBytesAndTheWayOut) {
  files_.LimitSpace(kFloor + 5);
  const absl::Status refused = Take(77);
  EXPECT_THAT(
      refused,
      StatusIs(kFull, AllOf(HasSubstr("/x/0.log: 77 bytes more"),
                            HasSubstr("1005 bytes free"),
                            HasSubstr("free_space_floor_bytes of the store is "
                                      "1000"),
                            HasSubstr("when 2000 bytes are free"))));
  EXPECT_TRUE(IsSpaceRefusal(refused));
  EXPECT_FALSE(IsSpaceRefusal(absl::ResourceExhaustedError("a full disk")));
}

TEST_F(FreeSpaceGuardTest, BetweenTheMarksItStaysAsItIs) {
  files_.LimitSpace(kResume - 1);
  for (int i = 0; i < 9; ++i) {
    PassLookAgain();
    ASSERT_THAT(Ask(100), IsOk());
  }
  EXPECT_THAT(Changes(), IsEmpty());
  files_.LimitSpace(kFloor);
  EXPECT_THAT(guard_->Look(), IsOk());
  EXPECT_THAT(Ask(1), StatusIs(kFull));
  for (const int64_t free : {kFloor + 1, kResume - 1, kFloor, kResume - 1}) {
    files_.LimitSpace(free);
    PassLookAgain();
    ASSERT_THAT(Ask(1), StatusIs(kFull)) << free;
  }
  EXPECT_THAT(Changes(), ElementsAre(Kind::kAppendsRefused));
  files_.LimitSpace(kResume);
  PassLookAgain();
  EXPECT_THAT(Ask(1), IsOk());
  EXPECT_THAT(Changes(), ElementsAre(Kind::kAppendsResumed));
}

TEST_F(FreeSpaceGuardTest, RefusedAllocationsLookOnceInAWhile) {
  files_.LimitSpace(kFloor);
  EXPECT_THAT(Ask(1), StatusIs(kFull));
  files_.ForgetCalls();
  for (int i = 0; i < 100; ++i) EXPECT_THAT(Ask(1), StatusIs(kFull));
  EXPECT_EQ(Looks(), 0);
  PassLookAgain();
  for (int i = 0; i < 100; ++i) EXPECT_THAT(Ask(1), StatusIs(kFull));
  EXPECT_EQ(Looks(), 1);
}

TEST_F(FreeSpaceGuardTest, LooksAreFewWhereThereIsMuchSpace) {
  files_.LimitSpace(kFloor + 1'000'000);
  for (int i = 0; i < 900; ++i) ASSERT_THAT(Take(1000), IsOk());
  EXPECT_LE(Looks(), 30);
  files_.LimitSpace(int64_t{1} << 40);
  ASSERT_THAT(guard_->Look(), IsOk());
  files_.ForgetCalls();
  for (int i = 0; i < 1024; ++i) ASSERT_THAT(Take(1 << 20), IsOk());
  EXPECT_EQ(Looks(), 15) << "no more than kUnseenMax goes unseen";
}

TEST_F(FreeSpaceGuardTest, LookFindsWhatOtherProgramsTook) {
  files_.LimitSpace(100 * kResume);
  ASSERT_THAT(Ask(1), IsOk());
  files_.LimitSpace(kFloor - 1);
  ASSERT_THAT(guard_->Look(), IsOk());
  EXPECT_TRUE(guard_->state().refuses);
  EXPECT_EQ(guard_->state().free_bytes, kFloor - 1);
  EXPECT_THAT(Ask(1), StatusIs(kFull));
}

TEST_F(FreeSpaceGuardTest, StepThatDidNotFitEndsTheRefusalWhenItFits) {
  files_.LimitSpace(kFloor + 100);
  ASSERT_THAT(Ask(5000), StatusIs(kFull, HasSubstr("when 6000 bytes")));
  files_.LimitSpace(kFloor + 4999);
  PassLookAgain();
  EXPECT_THAT(Ask(1), StatusIs(kFull));
  files_.LimitSpace(kFloor + 5000);
  PassLookAgain();
  EXPECT_THAT(Ask(5000), IsOk());
  EXPECT_THAT(Changes(),
              ElementsAre(Kind::kAppendsRefused, Kind::kAppendsResumed));
}

TEST_F(FreeSpaceGuardTest, AllocationBeyondAStepIsRefusedAlone) {
  files_.LimitSpace(kFloor + FreeSpaceGuard::kStepMax);
  EXPECT_THAT(Ask(FreeSpaceGuard::kStepMax + 1),
              StatusIs(kFull, HasSubstr("when that fits")));
  EXPECT_THAT(Ask(FreeSpaceGuard::kStepMax), IsOk());
  EXPECT_THAT(Changes(), IsEmpty());
}

TEST_F(FreeSpaceGuardTest,
       RetentionIsWantedBelowTheResumeMarkAndWhileRefusing) {
  files_.LimitSpace(kResume);
  ASSERT_THAT(guard_->Look(), IsOk());
  EXPECT_FALSE(guard_->TakeRetentionWanted());
  files_.LimitSpace(kResume - 1);
  ASSERT_THAT(guard_->Look(), IsOk());
  EXPECT_TRUE(guard_->TakeRetentionWanted());
  EXPECT_EQ(wakes_, 1);
  ASSERT_THAT(guard_->Look(), IsOk());
  EXPECT_FALSE(guard_->TakeRetentionWanted()) << "once for each time";
  files_.LimitSpace(kFloor - 1);
  ASSERT_THAT(guard_->Look(), IsOk());
  EXPECT_TRUE(guard_->TakeRetentionWanted());
  EXPECT_FALSE(guard_->TakeRetentionWanted());
  clock_.Advance(FreeSpaceGuard::kRetentionAgain);
  EXPECT_TRUE(guard_->TakeRetentionWanted());
  EXPECT_FALSE(guard_->TakeRetentionWanted());
  files_.LimitSpace(kResume);
  ASSERT_THAT(guard_->Look(), IsOk());
  clock_.Advance(FreeSpaceGuard::kRetentionAgain);
  EXPECT_FALSE(guard_->TakeRetentionWanted());
}

TEST_F(FreeSpaceGuardTest, RetentionThatWasStoppedIsStillWanted) {
  files_.LimitSpace(kFloor);
  ASSERT_THAT(guard_->Look(), IsOk());
  ASSERT_TRUE(guard_->TakeRetentionWanted());
  guard_->WantRetention();
  EXPECT_TRUE(guard_->TakeRetentionWanted());
}

TEST_F(FreeSpaceGuardTest, WithoutAnAnswerNothingIsRefused) {
  files_.FailCallsNamed("Directory::FreeBytes", EIO,
                        FaultyFileSystem::Repeat::kForever);
  EXPECT_THAT(guard_->Look(), StatusIs(absl::StatusCode::kUnknown));
  EXPECT_THAT(Ask(int64_t{1} << 40), IsOk());
  files_.StopFailing();
  files_.LimitSpace(kFloor);
  EXPECT_THAT(Ask(1), StatusIs(kFull));
}

TEST_F(FreeSpaceGuardTest, AnswerThatFailsLaterLeavesTheRefusal) {
  files_.LimitSpace(kFloor);
  ASSERT_THAT(Ask(1), StatusIs(kFull));
  files_.FailCallsNamed("Directory::FreeBytes", EIO,
                        FaultyFileSystem::Repeat::kForever);
  PassLookAgain();
  EXPECT_THAT(Ask(1), StatusIs(kFull));
}

TEST_F(FreeSpaceGuardTest, ErrorOfTheCallIsReturnedAndGivesItsRoomBack) {
  files_.LimitSpace(kFloor + 100);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(guard_->Allocate({.path = "/x", .bytes = 100},
                                 [] { return absl::InternalError("so"); }),
                StatusIs(absl::StatusCode::kInternal));
  }
  EXPECT_THAT(Take(100), IsOk());
}

TEST_F(FreeSpaceGuardTest, AllocationUnderWayCountsAlthoughNoLookSeesIt) {
  files_.LimitSpace(kFloor + 150);
  EXPECT_THAT(guard_->Allocate({.path = "/x", .bytes = 100},
                               [&] {
                                 EXPECT_THAT(guard_->Look(), IsOk());
                                 EXPECT_THAT(Ask(50), IsOk());
                                 EXPECT_THAT(Ask(51), StatusIs(kFull));
                                 return absl::OkStatus();
                               }),
              IsOk());
}

TEST_F(FreeSpaceGuardTest, DiskThatIsFullAlreadyIsSeenAtOnce) {
  files_.LimitSpace(100'000'000);
  EXPECT_THAT(Take(1), IsOk());
  files_.LimitSpace(10);
  const absl::Status full = Take(100);
  EXPECT_THAT(full, StatusIs(kFull));
  EXPECT_FALSE(IsSpaceRefusal(full));
  EXPECT_TRUE(guard_->state().refuses);
  EXPECT_TRUE(IsSpaceRefusal(Take(1)));
}

TEST_F(FreeSpaceGuardTest, ChangesThatNobodyTakesAreLimitedInTheirTurns) {
  for (size_t i = 0; i < 3 * FreeSpaceGuard::kChangesMax; ++i) {
    files_.LimitSpace(i % 2 == 0 ? kFloor - 1 : kResume);
    ASSERT_THAT(guard_->Look(), IsOk());
  }
  const std::vector<Kind> changes = Changes();
  ASSERT_EQ(changes.size(), FreeSpaceGuard::kChangesMax);
  EXPECT_EQ(changes.front(), Kind::kAppendsRefused);
  EXPECT_EQ(changes.back(), Kind::kAppendsResumed);
}

TEST_F(FreeSpaceGuardTest, ThreadsTogetherTakeNoMoreThanTheFloorAllows) {
  files_.LimitSpace(kFloor + 100'000);
  std::atomic<int64_t> taken = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      while (Take(7).ok()) taken += 7;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(*files_.space_left(), kFloor + 100'000 - taken);
  EXPECT_GE(*files_.space_left(), kFloor);
  EXPECT_LT(*files_.space_left(), kFloor + 4 * 7);
  EXPECT_THAT(Changes(), ElementsAre(Kind::kAppendsRefused));
}

TEST(FreeSpaceMarksTest, ResumeMarkIsAQuarterOr64MiBAboveTheFloor) {
  constexpr int64_t kMiB = 1 << 20;
  const auto resume_of = [](int64_t floor, int64_t resume) {
    StoreOptions options;
    options.free_space_floor_bytes = floor;
    options.free_space_resume_bytes = resume;
    EXPECT_THAT(options.Validate(), IsOk());
    return FreeSpaceGuard::Marks::Of(options).resume_bytes;
  };
  EXPECT_EQ(resume_of(1, 0), 64 * kMiB + 1);
  EXPECT_EQ(resume_of(256 * kMiB, 0), 320 * kMiB);
  EXPECT_EQ(resume_of(1024 * kMiB, 0), 1280 * kMiB);
  EXPECT_EQ(resume_of(1024 * kMiB, 1024 * kMiB + 1), 1024 * kMiB + 1);
}

}  // namespace
}  // namespace varve
