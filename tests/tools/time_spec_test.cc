// SPDX-License-Identifier: Apache-2.0

#include "varve/tools/shell/time_spec.h"

#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/status_matchers.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace varve {
namespace {

using ::absl_testing::IsOkAndHolds;
using ::absl_testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

const absl::Time kNow = absl::FromCivil(
    absl::CivilSecond(2026, 11, 20, 12, 0, 0), absl::UTCTimeZone());

absl::Time At(const absl::CivilSecond& time) {
  return absl::FromCivil(time, absl::UTCTimeZone());
}

TEST(TimeSpecTest, DateIsItsMidnightInUtc) {
  EXPECT_THAT(ParseTimeSpec("2026-11-20", kNow),
              IsOkAndHolds(At(absl::CivilSecond(2026, 11, 20))));
  EXPECT_THAT(ParseTimeSpec("1970-01-01", kNow),
              IsOkAndHolds(absl::UnixEpoch()));
}

TEST(TimeSpecTest, TimeWithoutAZoneIsInUtc) {
  EXPECT_THAT(ParseTimeSpec("2026-11-20T10:30", kNow),
              IsOkAndHolds(At(absl::CivilSecond(2026, 11, 20, 10, 30, 0))));
  EXPECT_THAT(ParseTimeSpec("2026-11-20T10:30:05", kNow),
              IsOkAndHolds(At(absl::CivilSecond(2026, 11, 20, 10, 30, 5))));
  EXPECT_THAT(ParseTimeSpec("2026-11-20T10:30:05.25", kNow),
              IsOkAndHolds(At(absl::CivilSecond(2026, 11, 20, 10, 30, 5)) +
                           absl::Milliseconds(250)));
}

TEST(TimeSpecTest, ZoneIsFollowed) {
  EXPECT_THAT(ParseTimeSpec("2026-11-20T10:00:00Z", kNow),
              IsOkAndHolds(At(absl::CivilSecond(2026, 11, 20, 10, 0, 0))));
  EXPECT_THAT(ParseTimeSpec("2026-11-20T10:00:00+01:30", kNow),
              IsOkAndHolds(At(absl::CivilSecond(2026, 11, 20, 8, 30, 0))));
  EXPECT_THAT(ParseTimeSpec("2026-11-20T10:00-02:00", kNow),
              IsOkAndHolds(At(absl::CivilSecond(2026, 11, 20, 12, 0, 0))));
}

TEST(TimeSpecTest, DigitsAreMilliseconds) {
  EXPECT_THAT(ParseTimeSpec("0", kNow), IsOkAndHolds(absl::UnixEpoch()));
  EXPECT_THAT(ParseTimeSpec("1795168800000", kNow),
              IsOkAndHolds(absl::FromUnixMillis(1795168800000)));
  EXPECT_THAT(ParseTimeSpec("007", kNow),
              IsOkAndHolds(absl::FromUnixMillis(7)));
  EXPECT_THAT(ParseTimeSpec("9223372036854775806", kNow),
              IsOkAndHolds(absl::FromUnixMillis(9223372036854775806)));
}

TEST(TimeSpecTest, AgoCountsBackInEveryUnit) {
  const std::pair<std::string_view, absl::Duration> spans[] = {
      {"-250ms", absl::Milliseconds(250)},
      {"-90s", absl::Seconds(90)},
      {"-15m", absl::Minutes(15)},
      {"-2h", absl::Hours(2)},
      {"-7d", absl::Hours(7 * 24)},
      {"-2w", absl::Hours(14 * 24)},
      {"-1h30m", absl::Minutes(90)},
      {"-1w2d3h4m5s6ms", absl::Hours(9 * 24 + 3) + absl::Minutes(4) +
                             absl::Seconds(5) + absl::Milliseconds(6)},
      {"-1.5h", absl::Minutes(90)},
      {"-0.5d", absl::Hours(12)},
      {"-0s", absl::ZeroDuration()}};
  for (const auto& [text, span] : spans) {
    EXPECT_THAT(ParseTimeSpec(text, kNow), IsOkAndHolds(kNow - span)) << text;
  }
}

TEST(TimeSpecTest, AnythingElseIsRefusedAndTheFormsAreNamed) {
  for (const std::string_view text : {"",
                                      "yesterday",
                                      "now",
                                      "-",
                                      "--1h",
                                      "-7",
                                      "-d",
                                      "-7D",
                                      "-1y",
                                      "-1h ",
                                      "- 1h",
                                      "-1h-2h",
                                      "-1,5h",
                                      "-.h",
                                      "1h",
                                      "+1h",
                                      "1.5",
                                      "1e3",
                                      "0x10",
                                      "26-11-20",
                                      "2026-1-5",
                                      "2026/11/20",
                                      "2026-11-31",
                                      "2026-13-01",
                                      "2026-11-20T",
                                      "2026-11-20T25:00",
                                      "2026-11-20T10",
                                      "2026-11-20x",
                                      "infinite-past",
                                      "infinite-future",
                                      "-inf",
                                      "nan",
                                      "9223372036854775807",
                                      "99999999999999999999",
                                      "-99999999999999999h",
                                      "-99999999999999999999w"}) {
    EXPECT_THAT(ParseTimeSpec(text, kNow),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("2026-11-20T10:00:00Z"),
                               HasSubstr("milliseconds"), HasSubstr("-1h30m"),
                               HasSubstr("ms s m h d w"))))
        << text;
  }
}

}  // namespace
}  // namespace varve
