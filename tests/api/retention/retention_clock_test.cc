// SPDX-License-Identifier: Apache-2.0

#include "varve/api/retention/retention_clock.h"

#include <algorithm>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

constexpr absl::Duration kDay = absl::Hours(24);
constexpr absl::Duration kTenYears = absl::Hours(24 * 3650);

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

class RetentionClockTest : public testing::Test {
 protected:
  // Time passes, and retention looks at the clocks every hour, as it would.
  absl::Time After(absl::Duration by) {
    absl::Time now = clock_.Now(wall_, steady_);
    for (; by > absl::ZeroDuration(); by -= absl::Hours(1)) {
      const absl::Duration step = std::min(by, absl::Hours(1));
      wall_ += step;
      steady_ += step;
      now = clock_.Now(wall_, steady_);
    }
    return now;
  }
  // Sets the wall clock.
  void Set(absl::Duration by) { wall_ += by; }
  void Open(absl::Time last_alive) {
    clock_ = RetentionClock(last_alive, wall_, steady_);
  }

  absl::Time wall_ = kStart;
  absl::Time steady_ = absl::UnixEpoch();
  RetentionClock clock_ = RetentionClock(absl::InfinitePast(), wall_, steady_);
};

TEST_F(RetentionClockTest, FollowsTheWallClock) {
  EXPECT_EQ(After(kDay), kStart + kDay);
  EXPECT_EQ(After(400 * kDay), kStart + 401 * kDay);
  EXPECT_FALSE(clock_.doubts());
}

TEST_F(RetentionClockTest, SmallCorrectionsAreFollowedAtOnce) {
  Set(RetentionClock::kSlack);
  EXPECT_EQ(After(absl::ZeroDuration()), kStart + RetentionClock::kSlack);
  Set(-RetentionClock::kSlack);
  EXPECT_EQ(After(absl::ZeroDuration()), kStart);
  EXPECT_FALSE(clock_.doubts());
}

TEST_F(RetentionClockTest, JumpIsDoubtedAndForgottenWhenTheClockIsSetRight) {
  for (absl::Duration jump : {kTenYears, -kTenYears, 3 * kDay, -3 * kDay}) {
    const absl::Time before = After(absl::ZeroDuration());
    Set(jump);
    EXPECT_EQ(After(absl::Hours(20)), before + absl::Hours(20)) << jump;
    EXPECT_TRUE(clock_.doubts());
    Set(-jump);
    EXPECT_EQ(After(absl::Hours(20)), before + absl::Hours(40)) << jump;
    EXPECT_FALSE(clock_.doubts());
  }
}

TEST_F(RetentionClockTest, JumpThatHoldsForADayIsBelieved) {
  for (absl::Duration jump : {kTenYears, -kTenYears}) {
    const absl::Time before = After(absl::ZeroDuration());
    Set(jump);
    After(absl::ZeroDuration());
    EXPECT_EQ(After(kDay - absl::Hours(1)), before + kDay - absl::Hours(1));
    EXPECT_EQ(After(absl::Hours(1)), before + jump + kDay);
    EXPECT_FALSE(clock_.doubts());
  }
}

TEST_F(RetentionClockTest, EachJumpHasToHoldByItself) {
  Set(kTenYears);
  EXPECT_EQ(After(absl::Hours(20)), kStart + absl::Hours(20));
  Set(kTenYears);
  EXPECT_EQ(After(absl::Hours(20)), kStart + absl::Hours(40));
  EXPECT_TRUE(clock_.doubts());
}

TEST_F(RetentionClockTest, StoreThatWasClosedForAMonthBelievesItsClock) {
  Open(wall_ - RetentionClock::kClosedMax);
  EXPECT_EQ(After(absl::ZeroDuration()), kStart);
  EXPECT_FALSE(clock_.doubts());
}

TEST_F(RetentionClockTest, ClockThatIsFarFromTheLastSignOfLifeIsDoubted) {
  for (absl::Duration jump : {kTenYears, -kTenYears}) {
    const absl::Time last_alive = wall_ - jump;
    Open(last_alive);
    EXPECT_EQ(After(absl::Hours(20)), last_alive + absl::Hours(20)) << jump;
    EXPECT_TRUE(clock_.doubts());
    EXPECT_EQ(After(absl::Hours(4)), wall_) << jump;
    EXPECT_FALSE(clock_.doubts());
  }
}

TEST_F(RetentionClockTest, ClockThatIsSetAfterTheBootIsBelievedAtOnce) {
  // A device without a battery: it boots in 1970, then the network sets its
  // clock.
  const absl::Time last_alive = kStart - kDay;
  wall_ = absl::UnixEpoch();
  Open(last_alive);
  EXPECT_EQ(After(absl::ZeroDuration()), last_alive);
  wall_ = last_alive + absl::Minutes(30);
  EXPECT_EQ(After(absl::ZeroDuration()), wall_);
  EXPECT_FALSE(clock_.doubts());
}

// Opens with the state that the last process left.
class RetentionClockStateTest : public RetentionClockTest {
 protected:
  // The process ends, and the next one begins after `closed`.
  void Restart(absl::Duration closed) {
    const RetentionClock::State state = clock_.state();
    wall_ += closed;
    steady_ = absl::UnixEpoch() + absl::Seconds(1);
    clock_ = RetentionClock(state, wall_, steady_);
  }
};

TEST_F(RetentionClockStateTest, ClockThatIsBelievedStaysSo) {
  After(kDay);
  Restart(2 * kDay);
  EXPECT_EQ(After(absl::ZeroDuration()), kStart + 3 * kDay);
  EXPECT_FALSE(clock_.doubts());
}

TEST_F(RetentionClockStateTest, DoubtOutlivesItsProcess) {
  for (absl::Duration jump : {kTenYears, -kTenYears, 3 * kDay, -3 * kDay}) {
    const absl::Time before = After(absl::ZeroDuration());
    Set(jump);
    for (int hours = 1; hours <= 20; ++hours) {
      EXPECT_EQ(After(absl::Minutes(30)),
                before + absl::Hours(hours) - absl::Minutes(30))
          << jump;
      EXPECT_TRUE(clock_.doubts()) << jump;
      Restart(absl::Minutes(30));
    }
    Set(-jump);
    EXPECT_EQ(After(absl::ZeroDuration()), before + absl::Hours(20)) << jump;
    EXPECT_FALSE(clock_.doubts()) << jump;
  }
}

TEST_F(RetentionClockStateTest,
       JumpThatHoldsForADayOfShortProcessesIsBelieved) {
  Set(kTenYears);
  for (int hours = 0; hours < 23; ++hours) {
    After(absl::Seconds(5));
    EXPECT_TRUE(clock_.doubts()) << hours;
    Restart(absl::Hours(1) - absl::Seconds(5));
  }
  EXPECT_TRUE(clock_.doubts());
  After(absl::Hours(1));
  EXPECT_FALSE(clock_.doubts());
  EXPECT_EQ(After(absl::ZeroDuration()), wall_);
}

TEST_F(RetentionClockStateTest, ClockThatIsSetWhileTheStoreIsClosedIsDoubted) {
  Set(kTenYears);
  Restart(absl::Hours(1));
  EXPECT_LT(After(absl::ZeroDuration()), kStart + kDay);
  EXPECT_TRUE(clock_.doubts());
}

TEST_F(RetentionClockStateTest, ClockThatIsSetRightWhileClosedIsBelieved) {
  Set(kTenYears);
  After(absl::Hours(1));
  Restart(-kTenYears + kDay);
  EXPECT_EQ(After(absl::ZeroDuration()), kStart + absl::Hours(1) + kDay);
  EXPECT_FALSE(clock_.doubts());
}

}  // namespace
}  // namespace varve
