// SPDX-License-Identifier: Apache-2.0

#include "varve/log/batch/record_timestamp.h"

#include <cstdint>
#include <limits>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

constexpr int64_t kInt64Min = std::numeric_limits<int64_t>::min();
constexpr int64_t kInt64Max = std::numeric_limits<int64_t>::max();

absl::Time AtMs(int64_t ms) { return absl::FromUnixMillis(ms); }

TEST(RecordTimestampTest, WholeMillisecondIsItsOwnTimestamp) {
  for (const int64_t ms :
       {kInt64Min, int64_t{-1}, int64_t{0}, int64_t{1795168800123}, kInt64Max})
    EXPECT_EQ(TimestampAtOrAfter(AtMs(ms)), ms);
}

TEST(RecordTimestampTest, PartOfAMillisecondIsRoundedUp) {
  for (const absl::Duration part :
       {absl::Nanoseconds(1) / 4, absl::Nanoseconds(1),
        absl::Microseconds(999)}) {
    EXPECT_EQ(TimestampAtOrAfter(AtMs(100) + part), 101);
    EXPECT_EQ(TimestampAtOrAfter(AtMs(-1) + part), 0);
    EXPECT_EQ(TimestampAtOrAfter(AtMs(100) - part), 100);
  }
}

TEST(RecordTimestampTest, TimeThat64BitsDoNotHoldIsTheNearestOfThem) {
  EXPECT_EQ(TimestampAtOrAfter(absl::InfinitePast()), kInt64Min);
  EXPECT_EQ(TimestampAtOrAfter(AtMs(kInt64Min) - absl::Hours(1)), kInt64Min);
  EXPECT_EQ(TimestampAtOrAfter(AtMs(kInt64Max) + absl::Nanoseconds(1)),
            kInt64Max);
  EXPECT_EQ(TimestampAtOrAfter(AtMs(kInt64Max) + absl::Hours(1)), kInt64Max);
  EXPECT_EQ(TimestampAtOrAfter(absl::InfiniteFuture()), kInt64Max);
}

}  // namespace
}  // namespace varve
