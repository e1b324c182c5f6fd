// SPDX-License-Identifier: Apache-2.0

// The program examples/telemetry keeps readings within the limits of retention,
// and sums up the last minute.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status_matchers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fixture/program_output.h"
#include "tests/fixture/scratch_directory.h"
#include "varve/api/log_store.h"

namespace varve {
namespace {

using ::absl_testing::IsOk;
using ::testing::Contains;
using ::testing::StartsWith;

constexpr const char* kSummary =
    "the last minute: 6000 readings, 24.5 on average";

// The lines that it prints.
std::vector<std::string> RunExample(const std::string& arguments, int* status) {
  return absl::StrSplit(
      OutputOf(absl::StrCat("examples/telemetry ", arguments), status), '\n',
      absl::SkipEmpty());
}

TEST(TelemetryTest, SumsUpTheLastMinuteAndShowsTheMetrics) {
  ScratchDirectory scratch;
  int status = -1;
  const std::vector<std::string> lines = RunExample(scratch / "store", &status);
  EXPECT_EQ(status, 0);
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines.front(), kSummary);
  EXPECT_THAT(lines,
              Contains("varve_append_records_total{topic=\"readings\"} 60000"));
  EXPECT_THAT(lines, Contains("varve_appends_total{topic=\"readings\"} 2400"));
  EXPECT_THAT(lines, Contains("varve_unsynced_bytes 0"));
  EXPECT_THAT(lines.back(), StartsWith("varve_snapshot_time_seconds "));
}

// Each run appends 300 KiB to a partition that keeps a mebibyte. The times are
// not past, so that retention.ms deletes nothing.
TEST(TelemetryTest, RetentionKeepsTheDiskWithinBounds) {
  ScratchDirectory scratch;
  const std::string path = scratch / "store";
  absl::Time start = absl::Now();
  for (int run = 0; run < 8; ++run, start += absl::Minutes(10)) {
    int status = -1;
    const std::vector<std::string> lines = RunExample(
        absl::StrCat(
            path, " ",
            absl::FormatTime(absl::RFC3339_sec, start, absl::UTCTimeZone())),
        &status);
    EXPECT_EQ(status, 0);
    ASSERT_FALSE(lines.empty());
    EXPECT_EQ(lines.front(), kSummary);
  }
  auto store = LogStore::OpenReadOnly(path);
  ASSERT_THAT(store, IsOk());
  for (int32_t i = 0; i < 4; ++i) {
    auto readings = (*store)->partition("readings", i);
    ASSERT_THAT(readings, IsOk());
    const auto stats = readings->Stats();
    ASSERT_THAT(stats, IsOk());
    EXPECT_GT(stats->log_start, 0);
    EXPECT_EQ(stats->visible_end, 8 * 15000);
    EXPECT_GE(stats->batch_bytes, 1 << 20);
    EXPECT_LE(stats->batch_bytes, 2 << 20);
  }
}

TEST(TelemetryTest, StartThatIsNoTimeIsRefused) {
  ScratchDirectory scratch;
  int status = -1;
  RunExample(absl::StrCat(scratch / "store", " noon 2>/dev/null"), &status);
  EXPECT_EQ(status, 2);
}

}  // namespace
}  // namespace varve
